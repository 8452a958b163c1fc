"""Previews: what a change would do to the members, invitations and guardrails of an account."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from rolecall import AccountState, milliseconds
from services.team.domain.account_policy import AccountPolicy
from services.team.domain.accounts import Account
from services.team.domain.guardrail_violations import Held, Violation, added, told_to
from services.team.domain.impact import MemberImpact, impact_of
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.override_scope import OverrideScope, counted, touched
from services.team.domain.resource_types import MAX_TYPES, without_permissions
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.guardrail_writes import held_in
from shared.contracts import team
from shared.contracts.facts import Fact
from shared.journal import DryRun
from shared.mongo import DbSession
from shared.problems import NotFound


@dataclass(frozen=True, kw_only=True)
class ConcernedMember:
    """A member with something to gain or lose; no role: not a member then."""

    impact: MemberImpact
    person: Membership | None
    role_before: str | None
    role_after: str | None


@dataclass(frozen=True, kw_only=True)
class ConcernedInvitation:
    """A pending invitation that ends, or has another inviter or role."""

    before: Invitation
    after: Invitation | None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a change would do, computed for `account_rev`.

    `violations` are what guardrails would refuse it for. `names_shown` says whether the caller may
    see who the members are. `resource_types_lost` have no permission in another catalog.
    """

    account_rev: int
    members: tuple[ConcernedMember, ...]
    invitations: tuple[ConcernedInvitation, ...]
    violations: tuple[Violation, ...]
    names_shown: bool
    resource_types_lost: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Rows:
    account: Account
    policy: AccountPolicy
    pending: list[Invitation]
    scope: OverrideScope


async def preview(
    ctx: Ctx,
    request: AccountRequest,
    real: AccountRequest,
    change: Callable[[Ctx, AccountRequest], Awaitable[object]],
) -> Preview:
    """Run `change` dry, and compare the account before and after it (`B9`).

    `change` gets the context to use and the `real` request, and is authorized and refused as the
    real one. Guardrails do not refuse it: the preview lists what they would refuse.

    Raises:
        NotFound, PermissionMissing: the caller is not a member.
    """
    access = await ctx.authorize(request)  # the rows are read for members alone
    dry, was = await _dry_run(ctx, real, change, scope=real.override_scope)
    while not was.scope.covers(needed := touched(was.policy, dry.facts)):
        dry, was = await _dry_run(ctx, real, change, scope=was.scope | needed)
    is_ = dry.after
    before = await held_in(ctx.store, was.policy, now=dry.now)
    after = await held_in(ctx.store, was.policy.after(dry.facts), now=dry.now)
    impacts = impact_of(
        _demanding(before),
        _demanding(after),
        other_roles={*_other_roles(dry.facts)},
        with_factor={*filter(ctx.callers.has_second_factor, before.state.members)},
        now=milliseconds(dry.now),
    )
    guardrails = () if is_ is None else is_.account.guardrails
    return Preview(
        account_rev=was.account.account_rev,
        members=tuple(_member(impact, before.policy, after.policy) for impact in impacts),
        invitations=tuple(_concerned(was.pending, [] if is_ is None else is_.pending)),
        violations=tuple(told_to(access, added(guardrails, before, after))),
        names_shown=access.sees_members,
        resource_types_lost=await _lost_types(ctx, was, after),
    )


def _demanding(held: Held) -> AccountState:
    """The state with what the account demands, which guardrails do not count."""
    return replace(held.state, require_second_factor=held.policy.account.require_second_factor)


def _other_roles(facts: Iterable[Fact]) -> Iterator[str]:
    """Who gets another role, and a mail about it; a role of another catalog is another one."""
    for fact in facts:
        if isinstance(fact.payload, team.MemberRoleChanged):
            yield fact.payload.user_id


async def _lost_types(ctx: Ctx, was: _Rows, after: Held) -> tuple[str, ...]:
    """The types in use of which another catalog has no permission."""
    account = was.account
    if after.policy.account.catalog == account.catalog:
        return ()
    types = ctx.callers.resource_types_of(account.account_id)
    if account.resource_count:
        types |= {*await ctx.store.resource_types(account.account_id, limit=MAX_TYPES)}
    return without_permissions(after.state.catalog, types)


async def _dry_run(
    ctx: Ctx,
    real: AccountRequest,
    change: Callable[[Ctx, AccountRequest], Awaitable[object]],
    *,
    scope: OverrideScope,
) -> tuple[DryRun[_Rows | None], _Rows]:
    """Run the change dry, and read the account around it with the overrides of the scope."""

    async def look(session: DbSession) -> _Rows | None:
        account = await ctx.store.account(real.account_id, session)
        if account is None:
            return None
        read = scope | counted(account.guardrails)
        return _Rows(
            account=account,
            policy=await ctx.store.account_policy(account, read, session),
            pending=await ctx.store.pending(real.account_id, session),
            scope=read,
        )

    dry = DryRun(ctx.journal, look=look)
    await change(replace(ctx, journal=dry, guardrails_bind=False), real)
    if dry.before is None:
        raise NotFound
    return dry, dry.before


def _member(impact: MemberImpact, before: AccountPolicy, after: AccountPolicy) -> ConcernedMember:
    was, is_ = before.members.get(impact.user_id), after.members.get(impact.user_id)
    return ConcernedMember(
        impact=impact,
        person=before.people.get(impact.user_id),
        role_before=None if was is None else was.role,
        role_after=None if is_ is None else is_.role,
    )


def _concerned(before: list[Invitation], after: list[Invitation]) -> list[ConcernedInvitation]:
    left = {invitation.invitation_id: invitation for invitation in after}
    pairs = [(was, left.get(was.invitation_id)) for was in before]
    return [
        ConcernedInvitation(before=was, after=is_)
        for was, is_ in pairs
        if is_ is None or (was.inviter_user_id, was.role) != (is_.inviter_user_id, is_.role)
    ]
