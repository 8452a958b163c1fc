"""Projects: how they are created, renamed and deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rolecall import Words
from services.team.domain.truncated_ids import truncated_ids
from shared.contracts import policy_objects, team
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.ids import AccountId, ProjectId, UserId
from shared.names import name_key
from shared.problems import Refusal, RefusalKind


class ProjectNameTaken(Refusal):
    """Two projects of one account have different names; the case of letters does not count."""

    kind = RefusalKind.CONFLICT
    code = "project-name-taken"
    detail = "Another {project} of this account has that name. Choose another name."

    def __init__(self, words: Words) -> None:
        super().__init__(project=words.project)
        self.members = {}


class ProjectLimit(Refusal):
    """Every replica of authz holds every project, so their number is bounded."""

    kind = RefusalKind.CONFLICT
    code = "project-limit"
    detail = "An account may have {limit} {projects} at most. Delete one first."

    def __init__(self, limit: int, words: Words) -> None:
        super().__init__(limit=limit, projects=words.projects)
        self.members = {"limit": limit}


@dataclass(frozen=True, kw_only=True)
class Project:
    """A part of an account's resources, inside which a member may have other grants."""

    account_id: AccountId
    project_id: ProjectId
    name: str
    created_at: datetime

    def policy_object(self) -> PolicyObject:
        """What authz knows of the project."""
        return self._policy_object(policy_objects.ProjectObject(name=self.name))

    def gone(self) -> PolicyObject:
        """The project is deleted; its overrides decide nothing from then on."""
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


def create(
    *,
    account_id: AccountId,
    project_id: ProjectId,
    name: str,
    others: Sequence[Project],
    limit: int,
    words: Words,
    now: datetime,
) -> tuple[Project, Fact]:
    """Create a project beside the `others` of the account; refusals use the catalog's words.

    Raises:
        ProjectNameTaken: one of the others has the name.
        ProjectLimit: the account has `limit` projects.
    """
    _require_free(name, others, words)
    if len(others) >= limit:
        raise ProjectLimit(limit, words)
    project = Project(account_id=account_id, project_id=project_id, name=name, created_at=now)
    fact = Fact(
        payload=team.ProjectCreated(project_id=project.project_id, name=project.name),
        resource=project.ref(),
        project_id=project.project_id,
        after={"name": project.name},
        policy_objects=(project.policy_object(),),
    )
    return project, fact


def rename(
    project: Project, name: str, *, account_projects: Sequence[Project], words: Words
) -> tuple[Project, Fact]:
    """Give the project another name; `account_projects` are the projects of the account.

    Raises:
        ProjectNameTaken: another project has the name.
    """
    others = [other for other in account_projects if other.project_id != project.project_id]
    _require_free(name, others, words)
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
    """Delete the project and the overrides in it; `overridden` are the members who had one."""
    return Fact(
        payload=team.ProjectDeleted(project_id=project.project_id, name=project.name),
        resource=project.ref(),
        project_id=project.project_id,
        before={"name": project.name, "overridden": truncated_ids(overridden)},
        policy_objects=(project.gone(),),
    )


def _require_free(name: str, others: Sequence[Project], words: Words) -> None:
    if any(name_key(other.name) == name_key(name) for other in others):
        raise ProjectNameTaken(words)
