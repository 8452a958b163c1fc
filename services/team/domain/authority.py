"""Whether a member may act, and what they may give to others."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rolecall import (
    AccountState,
    CompiledCatalog,
    Matrix,
    Member,
    Reason,
    Resource,
    Subject,
    build_account,
    build_member,
    build_overrides,
    decide,
    grants_not_held,
    grants_not_held_inside,
    is_outsider,
    lasts_until,
    milliseconds,
)
from services.team.domain.accounts import Account
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from shared.auth.account_refusals import SHUT_OUT
from shared.ids import ProjectId
from shared.problems import NotFound, PermissionMissing, Refusal, RefusalKind


class GrantsExceeded(Refusal):
    """A member gives only what they hold in that scope themselves (`B5`)."""

    kind = RefusalKind.DENIED
    code = "grants-exceeded"
    detail = "You can give only permissions that you hold yourself. You do not hold: {missing}."


class EndExceeded(Refusal):
    """A member gives no permission for longer than they are a member themselves (`B4`, `B5`)."""

    kind = RefusalKind.DENIED
    code = "end-exceeded"
    detail = (
        "Your own membership ends on {end}. What you give has to end by then: choose an end that"
        " is not later."
    )


INVITE = "member:invite"


def member_state(
    catalog: CompiledCatalog, membership: Membership, overrides: Iterable[ProjectOverride] = ()
) -> Member:
    """Build the decision core's member from team's rows."""
    return build_member(membership.user_id, membership, overrides, catalog=catalog)


def account_state(
    account: Account,
    catalog: CompiledCatalog,
    members: Iterable[Member],
    projects: Iterable[str] = (),
) -> AccountState:
    """Build the account's state with just the members and projects that a decision needs."""
    return build_account(account.account_id, account, members, projects, catalog=catalog)


def role_grants(state: AccountState, role_id: str) -> Matrix:
    """What a role of the account's catalog or a custom role grants.

    Raises:
        LookupError: there is no such role.
    """
    found = state.catalog.matrix(role_id)
    if found is None:
        raise LookupError(f"{state.id} has no role {role_id}")
    return found


def override_grants(catalog: CompiledCatalog, override: ProjectOverride) -> Matrix:
    """What a stored override grants in its project; what the catalog cannot read is nothing.

    One that is over keeps the words of the catalog that the account had then.
    """
    built = build_overrides(override.user_id, override.membership_id, [override], catalog=catalog)
    return built[override.project_id].matrix


def require(
    state: AccountState,
    subject: Subject,
    permission: str,
    *,
    now: datetime,
    project_id: ProjectId | None = None,
) -> None:
    """Check one permission of one user (`Ci12`).

    Raises:
        NotFound: the user is an outsider, or the account has no such project.
        SuspendedAccount, DeletingAccount: no member may do anything there now.
        SecondFactorRequired: the account demands one, and the user has none.
        PermissionMissing: the user is a member without the permission.
    """
    moment = milliseconds(now)
    if is_outsider(state, subject.user_id, now=moment):
        raise NotFound
    decision = decide(state, subject, permission, Resource(project_id=project_id), now=moment)
    if decision.reason is Reason.PROJECT_UNKNOWN:
        raise NotFound
    if decision.reason in SHUT_OUT:
        raise SHUT_OUT[decision.reason]
    if not decision.allowed:
        raise PermissionMissing(permission)


def may_invite_with(
    state: AccountState, inviter: Member, role_id: str, *, now: datetime, until: datetime | None
) -> bool:
    """Whether the member may invite with this role, for a membership that ends `until` then."""
    allowed = decide(state, Subject(inviter.user_id), INVITE, now=milliseconds(now)).allowed
    return (
        allowed
        and lasts_until(inviter, _optional_milliseconds(until))
        and not grants_not_held(state, inviter, role_grants(state, role_id), now=milliseconds(now))
    )


def require_end(giver: Member, until: datetime | None) -> None:
    """Check that what the giver gives `until` then, or without an end, ends with their own time.

    Raises:
        EndExceeded: the giver's membership ends earlier.
    """
    if giver.expires_at is not None and not lasts_until(giver, _optional_milliseconds(until)):
        end = datetime.fromtimestamp(giver.expires_at / 1000, UTC)
        raise EndExceeded(end=end.isoformat(timespec="seconds"))


def require_ends(giver: Member, gained: Matrix, ends: Iterable[datetime | None]) -> None:
    """Check that no membership of those ends gains grants for longer than the giver is a member.

    Raises:
        EndExceeded: as `require_end`.
    """
    if not gained.empty:
        for end in ends:
            require_end(giver, end)


def _optional_milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)


def require_to_give(state: AccountState, giver: Member, role_id: str, *, now: datetime) -> None:
    """Check that the giver may assign the role, or invite with it (`B5`).

    Raises:
        GrantsExceeded: with the grants that the giver does not hold.
    """
    require_to_give_grants(state, giver, role_grants(state, role_id), now=now)


def require_to_give_grants(
    state: AccountState, giver: Member, given: Matrix, *, now: datetime
) -> None:
    """Check that the giver may put these grants into a role (`B5`).

    Raises:
        GrantsExceeded: with the grants that the giver does not hold.
    """
    missing = grants_not_held(state, giver, given, now=milliseconds(now))
    if missing:
        raise GrantsExceeded(missing=list(missing))


def require_to_grant(
    state: AccountState,
    giver: Member,
    project_id: ProjectId | None,
    grants: Matrix,
    *,
    now: datetime,
    until: datetime | None,
) -> None:
    """Check that the giver may give `grants` inside one project, until then or without an end.

    Without a project they are for what is in none.

    A member gives for no longer than they hold (`B5`).

    Raises:
        GrantsExceeded: with the grants that the giver does not hold there.
    """
    missing = grants_not_held_inside(
        state,
        giver,
        project_id,
        grants,
        now=milliseconds(now),
        until=_optional_milliseconds(until),
    )
    if missing:
        raise GrantsExceeded(missing=list(missing))


def grants_gained(before: Matrix, after: Matrix) -> Matrix:
    """The grants that `after` holds and `before` does not."""
    return after.beyond(before)


def grants_added(catalog: CompiledCatalog, *, before: Matrix, after: Matrix) -> Matrix:
    """The grants that `after` holds inside a project and `before` does not."""
    return grants_gained(before, after).within(catalog.project_mask)
