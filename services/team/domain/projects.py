"""What is a project, and how does it come and go?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.team.domain.listing import listed
from shared.contracts import team, things
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.things import Kind as ThingKind
from shared.contracts.things import Thing
from shared.ids import AccountId, ProjectId, UserId
from shared.problems import Kind, Refusal


class ProjectNameTaken(Refusal):
    """Two projects of one account have different names."""

    kind = Kind.CONFLICT
    code = "project-name-taken"
    detail = "A project of this account has that name."


class ProjectLimit(Refusal):
    """Every replica of authz holds every project, so their number is bounded."""

    kind = Kind.CONFLICT
    code = "project-limit"
    detail = "An account may have {limit} projects at most."


@dataclass(frozen=True, kw_only=True)
class Project:
    """A part of an account's resources, inside which a member may have other grants."""

    account_id: AccountId
    project_id: ProjectId
    name: str
    created_at: datetime

    def thing(self) -> Thing:
        """What authz has to know of it."""
        return self._thing(things.ProjectState(name=self.name))

    def gone(self) -> Thing:
        """That there is none any more; its overrides decide nothing from then on."""
        return self._thing(None)

    def _thing(self, state: things.ProjectState | None) -> Thing:
        return Thing(
            kind=ThingKind.PROJECT,
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
        things=(project.thing(),),
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
        things=(renamed.thing(),),
    )
    return renamed, fact


def delete(project: Project, *, overridden: Sequence[UserId]) -> Fact:
    """The project is gone, and so is every override in it, that of these members."""
    return Fact(
        payload=team.ProjectDeleted(project_id=project.project_id, name=project.name),
        resource=project.ref(),
        project_id=project.project_id,
        before={"name": project.name, "overridden": listed(overridden)},
        things=(project.gone(),),
    )
