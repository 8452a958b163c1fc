"""Overrides: one member's grants inside one project, in place of the role's (`Ci9`)."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rolecall import Catalog, CatalogError, CompiledCatalog, Grants, written_grant
from services.team.domain.catalog_texts import translations
from services.team.domain.members import Membership, OwnerProtected
from services.team.domain.projects import Project
from shared.contracts import policy_objects, team, team_catalogs
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.ids import AccountId, MembershipId, ProjectId, UserId
from shared.problems import Invalid

MAX_OVERRIDE_BYTES = 16 * 1024
"""Of the grants as JSON, with every `*` written out; the row of a change has them up to 3 times."""
_TOO_LARGE = (
    f"The grants may have {MAX_OVERRIDE_BYTES} bytes as JSON, with every `*` written out. Shorten"
    " their conditions."
)


class OwnerNotOverridden(OwnerProtected):
    """The owner has the grants of the owner role in every project."""

    detail = "The owner cannot have an override. Choose another member."


@dataclass(frozen=True, kw_only=True)
class ProjectOverride:
    """One member's grants inside one project; it ends with the membership that it was given to."""

    account_id: AccountId
    project_id: ProjectId
    user_id: UserId
    membership_id: MembershipId
    grants: Grants
    expires_at: datetime | None
    given_by: UserId
    given_at: datetime

    def expired(self, now: datetime) -> bool:
        """Whether its time is over: the role counts in the project again."""
        return self.expires_at is not None and self.expires_at <= now

    def outlasts(self, other: "ProjectOverride") -> bool:
        """Whether this override is still there when the other one ends."""
        if other.expires_at is None:
            return False
        return self.expires_at is None or self.expires_at > other.expires_at

    def gives_the_same_as(self, other: "ProjectOverride") -> bool:
        """Whether both give the same grants for the same time; who gave them does not count."""
        return replace(self, given_by=other.given_by, given_at=other.given_at) == other

    def policy_object(self) -> PolicyObject:
        """What authz knows of the override."""
        state = policy_objects.OverrideObject(
            project_id=self.project_id,
            user_id=self.user_id,
            membership_id=self.membership_id,
            grants=grants_as_json(self.grants),
            expires_at=self.expires_at,
        )
        return self._policy_object(state)

    def gone(self) -> PolicyObject:
        """The policy object that removes the override."""
        return self._policy_object(None)

    def _policy_object(self, state: policy_objects.OverrideObject | None) -> PolicyObject:
        return PolicyObject(
            kind=PolicyObjectKind.OVERRIDE,
            id=f"{self.project_id}/{self.user_id}",
            account_id=self.account_id,
            state=None if state is None else state.model_dump(mode="json"),
        )


@dataclass(frozen=True, kw_only=True)
class ShownOverride:
    """An override as it is at one moment: if it is `expired`, the role counts again."""

    override: ProjectOverride
    expired: bool


def shown_at(override: ProjectOverride, now: datetime) -> ShownOverride:
    """The override at this moment."""
    return ShownOverride(override=override, expired=override.expired(now))


def grants_as_json(grants: Grants) -> dict[str, Any]:
    """Grants as JSON values."""
    return {
        entry: {level: written_grant(grant) for level, grant in levels.items()}
        for entry, levels in grants.items()
    }


def parse_grants(catalog: Catalog, grants: object) -> Grants:
    """The grants of an override, every `*` written out.

    Raises:
        Invalid: with a pointer to each entry or level that an override cannot have. Account-wide
            entries are among them. Or the grants have too many bytes.
    """
    try:
        parsed = catalog.parse_grants(grants, within_project=True)
    except CatalogError as error:
        errors = [(f"/grants{problem.pointer}", problem.message) for problem in error.problems]
        raise Invalid(errors=errors) from error
    if len(json.dumps(grants_as_json(parsed))) > MAX_OVERRIDE_BYTES:
        raise Invalid(errors=[("/grants", _TOO_LARGE)])
    return parsed


def put(
    override: ProjectOverride,
    *,
    replaced: ProjectOverride | None,
    member: Membership,
    project: Project,
    account_name: str,
    catalog: CompiledCatalog,
    now: datetime,
) -> Fact:
    """Set the override, in place of `replaced`.

    Raises:
        Invalid: the override would have ended already.
    """
    if override.expires_at is not None and override.expires_at <= now:
        raise Invalid(errors=[("/expires_at", "Must be in the future.")])
    return Fact(
        payload=team.OverrideSet(
            account_name=account_name,
            project_id=project.project_id,
            project_name=project.name,
            **_word(catalog),
            user_id=member.user_id,
            email=member.email,
            expires_at=override.expires_at,
        ),
        resource=_ref(member, project),
        project_id=project.project_id,
        before=None if replaced is None else _shown(replaced),
        after=_shown(override),
        policy_objects=(override.policy_object(),),
    )


def remove(
    override: ProjectOverride,
    *,
    member: Membership,
    project: Project,
    account_name: str,
    catalog: CompiledCatalog,
) -> Fact:
    """Remove the override: the role counts in the project again."""
    return Fact(
        payload=team.OverrideRemoved(
            account_name=account_name,
            project_id=project.project_id,
            project_name=project.name,
            **_word(catalog),
            user_id=member.user_id,
            email=member.email,
        ),
        resource=_ref(member, project),
        project_id=project.project_id,
        before=_shown(override),
        policy_objects=(override.gone(),),
    )


def _word(catalog: CompiledCatalog) -> dict[str, Any]:
    """What the catalog calls a project, as a fact tells it."""
    word = catalog.catalog.policies.words.project
    return {"project_word": word, "translations": translations(catalog, project_word=word)}


def moved(
    override: ProjectOverride,
    *,
    before: ProjectOverride,
    member: Membership,
    project: Project,
    account_name: str,
) -> Fact:
    """The override has the levels of another catalog from now on."""
    return Fact(
        payload=team_catalogs.OverrideMoved(
            account_name=account_name,
            project_id=project.project_id,
            project_name=project.name,
            user_id=member.user_id,
        ),
        resource=_ref(member, project),
        project_id=project.project_id,
        before=_shown(before),
        after=_shown(override),
        policy_objects=(override.policy_object(),),
    )


def _ref(member: Membership, project: Project) -> ResourceRef:
    return ResourceRef(
        type="override",
        id=f"{project.project_id}/{member.user_id}",
        name=f"{member.name} in {project.name}",
    )


def _shown(override: ProjectOverride) -> dict[str, Any]:
    return {"grants": grants_as_json(override.grants), "expires_at": override.expires_at}
