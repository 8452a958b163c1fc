"""Join an account by the rule of a connection, and what identity asks before (B16)."""

from dataclasses import dataclass, replace
from datetime import datetime

from rolecall import CompiledCatalog
from services.team.domain import connection_joins, member_rules
from services.team.domain.account_access import AccountAccess, as_owner
from services.team.domain.accounts import Account
from services.team.domain.connection_joins import (
    OF_THE_USER,
    ConnectionRule,
    JoinAttempt,
    RuleCheck,
)
from services.team.domain.guardrail_violations import GuardrailViolated
from services.team.domain.invitation_acceptance import Invitee, Inviter
from services.team.domain.members import Membership, PersonTraits
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx, NonMemberRequest
from shared.addresses import parse_address
from shared.contracts.calls.connections import JoinOutcome, JoinProblem
from shared.contracts.facts import Caller
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.journal import WriteResult

MANAGE = "account:update"
"""What a member needs to change a connection; identity has checked it, too."""


@dataclass(frozen=True, kw_only=True)
class CheckedRule:
    """The account, who manages its members, and whether the rule may be set."""

    access: AccountAccess
    managers: list[Membership]
    check: RuleCheck


@dataclass(frozen=True, kw_only=True)
class JoinResult:
    """What became of a sign-in's membership."""

    outcome: JoinOutcome
    problem: JoinProblem | None = None


async def read_account(
    ctx: Ctx, account_id: AccountId, *, with_managers: bool
) -> tuple[Account | None, list[Membership]]:
    """Return the account, if there is one, and if wanted who manages its members."""
    account = await ctx.store.account(account_id)
    if account is None or not with_managers:
        return account, []
    everyone = await ctx.store.members(account_id)
    catalog = await ctx.store.catalog_of(account)
    return account, _managers(account, catalog, everyone, now=ctx.clock.now())


def _managers(
    account: Account, catalog: CompiledCatalog, everyone: list[Membership], *, now: datetime
) -> list[Membership]:
    owners = [one for one in everyone if one.user_id == account.owner_user_id]
    if not owners:
        return []
    access = as_owner(account, catalog, owners[0], now=now)
    return member_rules.managers(access, everyone)


async def check_rule(ctx: Ctx, request: AccountRequest, *, role: str | None) -> CheckedRule:
    """Check whether a member may have people join with a role, if one is named.

    Raises:
        NotFound, PermissionMissing, SuspendedAccount, DeletingAccount: see `Ctx.authorize`.
    """
    access = await ctx.authorize(request)
    everyone = await ctx.store.members(request.account_id)
    check = RuleCheck() if role is None else connection_joins.check_rule(access, role)
    return CheckedRule(access=access, managers=member_rules.managers(access, everyone), check=check)


async def join(
    ctx: Ctx,
    account_id: AccountId,
    rule: ConnectionRule,
    *,
    user_id: UserId,
    email: str,
    name: str,
    identity: str | None,
    caller: Caller,
) -> WriteResult[JoinResult]:
    """Make a user who has signed in through the connection a member, unless they are one.

    A repeat finds the membership, and is answered after the barrier as well. `identity` is the
    subject of the issuer, by which a former member is known again with another user.
    """
    address = parse_address(email)
    traits = PersonTraits(
        user_id=user_id,
        email_key=address.key,
        identities=() if identity is None else (identity,),
    )
    request = NonMemberRequest(caller=caller, account_id=account_id)

    async def invitee(write: AccountWrite) -> Invitee:
        known = await write.name_for_joining(user_id, otherwise=name)
        return Invitee(user_id=user_id, address=address, name=known)

    async def change(write: AccountWrite) -> JoinResult:
        account = write.account
        if account is None:
            return JoinResult(outcome=JoinOutcome.REFUSED, problem=JoinProblem.ACCOUNT_CLOSED)
        member = await write.find_member(user_id)
        if member is not None:
            await write.note_identity(member, identity)
            return JoinResult(outcome=JoinOutcome.MEMBER)
        user = await invitee(write)
        joining = JoinAttempt(
            rule=rule,
            account=account,
            catalog=await ctx.store.catalog_of(account),
            user=user,
            giver=await _giver(write, rule),
            former=await write.was_member(traits),
            pending=(await write.pending_among([address.key])).get(address.key),
            taken=await write.seats_taken(),
            now=write.now,
        )
        joined = connection_joins.join(joining, membership_id=MembershipId(new_id("mem")))
        if isinstance(joined, JoinProblem):
            return await _refuse(ctx, write, rule, user, traits, joined)
        await write.admit(replace(joined.membership, identities=traits.identities))
        await write.forget_refusal(rule)
        if joined.closed is not None:
            await write.replace_invitations([joined.closed])
        write.record(*joined.facts)
        return JoinResult(outcome=JoinOutcome.JOINED)

    async def note(write: AccountWrite) -> JoinResult:
        user = await invitee(write)
        return await _refuse(ctx, write, rule, user, traits, JoinProblem.GUARDRAIL)

    try:
        return await ctx.change(request, change, effective_everywhere=True)
    except GuardrailViolated:
        return await ctx.change(request, note, effective_everywhere=False)


async def _giver(write: AccountWrite, rule: ConnectionRule) -> Inviter | None:
    membership = await write.find_member(rule.set_by)
    if membership is None:
        return None
    return Inviter(membership=membership, overrides=await write.overrides_of(rule.set_by))


async def _refuse(
    ctx: Ctx,
    write: AccountWrite,
    rule: ConnectionRule,
    user: Invitee,
    traits: PersonTraits,
    problem: JoinProblem,
) -> JoinResult:
    """Record the refusal, unless it is recorded already or the account is closed."""
    result = JoinResult(outcome=JoinOutcome.REFUSED, problem=problem)
    account = write.existing_account
    if problem is JoinProblem.ACCOUNT_CLOSED:
        return result
    if await write.refusal_is_new(rule, problem, traits):
        managers: list[Membership] = []
        if problem not in OF_THE_USER:
            catalog = await ctx.store.catalog_of(account)
            managers = _managers(account, catalog, await write.members(), now=write.now)
        write.record(
            connection_joins.refuse(rule, problem, user, account=account, managers=managers)
        )
    return result
