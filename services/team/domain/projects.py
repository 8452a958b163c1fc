"""What is a project, and how does it come and go?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.team.domain.listing import listed
from shared.contracts import policy_objects, team
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.ids import AccountId, ProjectId, UserId
from shared.problems import Refusal, RefusalKind


class ProjectNameTaken(Refusal):
    """Two projects of one account have different names."""

    kind = RefusalKind.CONFLICT
    code = "project-name-taken"
    detail = "A project of this account has that name."


class ProjectLimit(Refusal):
    """Every replica of authz holds every project, so their number is bounded."""

    kind = RefusalKind.CONFLICT
    code = "project-limit"
    detail = "An account may have {limit} projects at most."


@dataclass(frozen=True, kw_only=True)
class Project:
    """A part of an account's resources, inside which a member may have other grants."""

    account_id: AccountId
    project_id: ProjectId
    name: str
    created_at: datetime

    def policy_object(self) -> PolicyObject:
        """What authz has to know of it."""
        return self._policy_object(policy_objects.ProjectObject(name=self.name))

    def gone(self) -> PolicyObject:
        """That there is none any more; its overrides decide nothing from then on."""
        return self._policy_object(None)

    def _policy_object(self, state: policy_objects.ProjectObject | None) -> PolicyObject:
        return PolicyObject(
            kind=PolicyObjectKind.PROJECT,
            id=self.project_id,
            account_id=self.account_id,
            state=None if state is None else state.model_dump(mode="json"),
        )

    def ref(self) -> ResourceRef:
        """The project as an audit record names it."""
        return ResourceRef(type="project", id=self.project_id, name=self.name)


def create(project: Project) -> Fact:
    """The project exists."""
    return Fact(
        payload=team.ProjectCreated(project_id=project.project_id, name=project.name),
        resource=project.ref(),
        project_id=project.project_id,
        after={"name": project.name},
        policy_objects=(project.policy_object(),),
    )


def rename(project: Project, name: str) -> tuple[Project, Fact]:
    """The project under another name."""
    renamed = replace(project, name=name)
    fact = Fact(
        payload=team.ProjectRenamed(project_id=project.project_id, name=name),
        resource=renamed.ref(),
        project_id=project.project_id,
        before={"name": project.name},
        after={"name": name},
        policy_objects=(renamed.policy_object(),),
    )
    return renamed, fact


def delete(project: Project, *, overridden: Sequence[UserId]) -> Fact:
    """The project is gone, and so is every override in it, that of these members."""
    return Fact(
        payload=team.ProjectDeleted(project_id=project.project_id, name=project.name),
        resource=project.ref(),
        project_id=project.project_id,
        before={"name": project.name, "overridden": listed(overridden)},
        policy_objects=(project.gone(),),
    )
