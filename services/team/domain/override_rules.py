"""The rules for setting, replacing and removing an override (`Ci9`, `B5`)."""

from collections.abc import Sequence
from datetime import datetime

from rolecall import Matrix, Words, effective_matrix, milliseconds
from services.team.domain import overrides
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import (
    grants_added,
    member_state,
    require_end,
    require_to_grant,
)
from services.team.domain.members import Membership
from services.team.domain.overrides import OwnerNotOverridden, ProjectOverride
from shared.catalog_parts import NotInThisCatalog
from shared.contracts.facts import Fact
from shared.problems import NotFound, Refusal, RefusalKind


class OverrideLimit(Refusal):
    """Every replica of authz holds every override, so their number is bounded."""

    kind = RefusalKind.CONFLICT
    code = "override-limit"
    detail = (
        "An account may have {limit} overrides at most, over all of its {projects}. Remove one"
        " first, or give the member another role."
    )

    def __init__(self, limit: int, words: Words) -> None:
        super().__init__(limit=limit, projects=words.projects)
        self.members = {"limit": limit}


def require_offered(access: AccountAccess) -> None:
    """Check that the account's catalog offers overrides.

    Raises:
        NotInThisCatalog: it does not.
    """
    if not access.catalog.catalog.policies.features.overrides:
        raise NotInThisCatalog("overrides", "Change the member's role instead.")


def require_room(access: AccountAccess, *, present: int, limit: int) -> None:
    """Check that the account may have one override more than are `present`.

    Raises:
        OverrideLimit: it has as many as it may; those that are over count until they are removed.
    """
    if present >= limit:
        raise OverrideLimit(limit, access.words)


def set_override(
    access: AccountAccess,
    member: Membership,
    *,
    member_overrides: Sequence[ProjectOverride],
    grants: object,
    expires_at: datetime | None,
) -> tuple[ProjectOverride, Fact | None]:
    """Give the member these grants in the project of the path, in place of the role's.

    `member_overrides` are the member's overrides in all projects. The new one replaces the one that
    the member has in this project. If that one gives the same already, it stays and there is no
    fact.

    Raises:
        OwnerNotOverridden: the member is the owner.
        Invalid: the grants do not fit the catalog, or the end is past.
        GrantsExceeded: the caller does not hold the grants, or does not hold what comes back to the
            member because the new override ends before the one that it replaces.
        EndExceeded: the caller's own membership ends before the grants that the member gains.
    """
    project = access.named_project
    if access.is_owner(member):
        raise OwnerNotOverridden
    override = ProjectOverride(
        account_id=access.account.account_id,
        project_id=project.project_id,
        user_id=member.user_id,
        membership_id=member.membership_id,
        grants=overrides.parse_grants(access.catalog.catalog, grants),
        expires_at=expires_at,
        given_by=access.membership.user_id,
        given_at=access.now,
    )
    matrix = access.catalog.override_matrix(project.project_id, override.grants)
    require_to_grant(
        access.state,
        access.member,
        project.project_id,
        matrix,
        now=access.now,
        until=expires_at,
    )
    replaced = next(
        (other for other in member_overrides if other.project_id == project.project_id), None
    )
    _require_end(access, member, replaced, given=matrix, until=expires_at)
    if replaced is not None and replaced.outlasts(override):
        _require_to_lift(access, member, replaced)
    if (
        replaced is not None
        and not replaced.expired(access.now)
        and override.gives_the_same_as(replaced)
    ):
        return replaced, None
    fact = overrides.put(
        override,
        replaced=replaced,
        member=member,
        project=project,
        account_name=access.account.name,
        catalog=access.catalog,
        now=access.now,
    )
    return override, fact


def remove_override(
    access: AccountAccess, member: Membership, override: ProjectOverride | None
) -> tuple[ProjectOverride, Fact]:
    """Remove the member's override: their role counts in the project again.

    Raises:
        NotFound: the member has no override there.
        GrantsExceeded: the role gives more there than the caller holds. A member does not remove an
            override that keeps a role below what they hold themselves.
        EndExceeded: the caller's own membership ends before what comes back to the member.
    """
    if override is None:
        raise NotFound
    _require_to_lift(access, member, override)
    fact = overrides.remove(
        override,
        member=member,
        project=access.named_project,
        account_name=access.account.name,
        catalog=access.catalog,
    )
    return override, fact


def _require_to_lift(access: AccountAccess, member: Membership, override: ProjectOverride) -> None:
    """Check that the caller may end the override early.

    Until the override's own end, the role gives back what the override took away.
    """
    project_id, now = override.project_id, access.now
    overridden = member_state(access.catalog, member, [override])
    before = effective_matrix(access.state, overridden, project_id, now=milliseconds(now))
    more = grants_added(access.catalog, before=before, after=overridden.role)
    require_to_grant(
        access.state, access.member, project_id, more, now=now, until=override.expires_at
    )
    if not more.empty:
        require_end(access.member, _earlier(override.expires_at, member.expires_at))


def _require_end(
    access: AccountAccess,
    member: Membership,
    replaced: ProjectOverride | None,
    *,
    given: Matrix,
    until: datetime | None,
) -> None:
    """Check that the caller is a member for as long as the member has what they gain."""
    present = member_state(access.catalog, member, [] if replaced is None else [replaced])
    project_id, now = access.named_project.project_id, milliseconds(access.now)
    before = effective_matrix(access.state, present, project_id, now=now)
    more = grants_added(access.catalog, before=before, after=given)
    if not more.empty or (replaced is not None and _later(until, replaced)):
        require_end(access.member, _earlier(until, member.expires_at))


def _later(until: datetime | None, replaced: ProjectOverride) -> bool:
    """Whether an override until then goes on after the one that it replaces."""
    end = replaced.expires_at
    return end is not None and (until is None or until > end)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two ends; `None` is without an end."""
    return min((end for end in (one, other) if end is not None), default=None)
