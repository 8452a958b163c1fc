"""May this member do that here, and may they hand it on?"""

from collections.abc import Iterable
from datetime import datetime

from rolecall import (
    AccountState,
    CompiledCatalog,
    Matrix,
    Member,
    Reason,
    Resource,
    Role,
    Subject,
    build_account,
    build_member,
    decide,
    effective_matrix,
)
from rolecall import milliseconds as milliseconds  # noqa: PLC0414  team takes its time from here
from services.team.domain.accounts import Account
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from shared.ids import ProjectId, UserId
from shared.problems import NotFound, PermissionMissing, Refusal, RefusalKind


class RoleUnknown(Refusal):
    """The account's catalog has no such role, or it comes only with owning the account."""

    kind = RefusalKind.INVALID
    code = "role-unknown"
    detail = "The catalog has no role of this name that can be given."

    def __init__(self) -> None:
        super().__init__(errors=[("/role", "is no role that can be given")])


class GrantsExceeded(Refusal):
    """Nobody gives what they do not hold in that scope (`B5`)."""

    kind = RefusalKind.DENIED
    code = "grants-exceeded"
    detail = "You can only give what you hold yourself; you lack {missing}."


_OUTSIDE = {Reason.NOT_A_MEMBER, Reason.MEMBERSHIP_EXPIRED, Reason.MEMBERSHIP_SUSPENDED}


def member_state(
    catalog: CompiledCatalog, membership: Membership, overrides: Iterable[ProjectOverride] = ()
) -> Member:
    """Build the decision core's member from team's rows."""
    return build_member(membership.user_id, membership, overrides, catalog=catalog)


def account_state(
    account: Account,
    catalog: CompiledCatalog,
    members: Iterable[Member],
    projects: Iterable[ProjectId] = (),
) -> AccountState:
    """Build the account's state with just the members and projects that a decision needs."""
    return build_account(account.account_id, account, members, projects, catalog=catalog)


def require(
    state: AccountState,
    user_id: UserId,
    permission: str,
    *,
    now: datetime,
    project_id: ProjectId | None = None,
) -> None:
    """Let the member go on (`Ci12`).

    Raises:
        NotFound: they are no member, and so may not know that there is anything.
        PermissionMissing: they are, without the permission.
    """
    decision = decide(
        state, Subject(user_id), permission, Resource(project_id=project_id), now=milliseconds(now)
    )
    if decision.reason in _OUTSIDE or decision.reason is Reason.PROJECT_UNKNOWN:
        raise NotFound
    if not decision.allowed:
        raise PermissionMissing(permission)


def role_to_give(catalog: CompiledCatalog, role_id: str) -> Role:
    """The role that somebody is to get.

    Raises:
        RoleUnknown: there is none, or it is never given.
    """
    role = catalog.catalog.role(role_id)
    if role is None or not role.assignable:
        raise RoleUnknown
    return role


def lacking(state: AccountState, giver: Member, role_id: str, *, now: datetime) -> tuple[str, ...]:
    """What the giver would have to hold to give this role, which counts in every project.

    An override that lowers the giver in one project therefore bounds what they may give anywhere.
    """
    moment = milliseconds(now)
    given = state.catalog.roles[role_id]
    held = [effective_matrix(state, giver, project, now=moment) for project in giver.overrides]
    exceeding = [
        str(grant)
        for matrix in [giver.role, *held]
        for grant in state.catalog.grants_exceeding(matrix, given)
    ]
    return tuple(dict.fromkeys(exceeding))


def require_to_give(state: AccountState, giver: Member, role_id: str, *, now: datetime) -> None:
    """Let the giver assign the role, or invite with it.

    Raises:
        GrantsExceeded: naming what they lack.
    """
    missing = lacking(state, giver, role_id, now=now)
    if missing:
        raise GrantsExceeded(missing=", ".join(missing))


def require_to_grant(
    state: AccountState,
    giver: Member,
    project_id: ProjectId,
    gained: Matrix,
    *,
    now: datetime,
    until: datetime | None,
) -> None:
    """Let the giver cause `gained` for somebody inside one project until then, or for good.

    Nobody gives for longer than they hold: an override of the giver's own that ends before `until`
    leaves them their role, which has to cover it too.

    Raises:
        GrantsExceeded: naming what they lack there.
    """
    held = [effective_matrix(state, giver, project_id, now=milliseconds(now))]
    own = giver.overrides.get(project_id)
    end = None if own is None else own.expires_at
    if end is not None and (until is None or end < milliseconds(until)):
        held.append(giver.role)
    missing = [
        str(grant) for matrix in held for grant in state.catalog.grants_exceeding(matrix, gained)
    ]
    if missing:
        raise GrantsExceeded(missing=", ".join(dict.fromkeys(missing)))


def gained(catalog: CompiledCatalog, *, before: Matrix, after: Matrix) -> Matrix:
    """What `after` holds inside a project beyond `before`."""
    inside = catalog.project_mask
    own_before = before.all_mask | before.self_mask
    return Matrix(
        source=after.source,
        all_mask=after.all_mask & ~before.all_mask & inside,
        self_mask=after.self_mask & ~own_before & inside,
    )
