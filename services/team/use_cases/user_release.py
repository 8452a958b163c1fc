"""Release a user who is erased: their memberships end, and so do the accounts that they own alone.

Each account is a write of its own, as accounts are in many shards of the journal. A release that
was killed is repeated, and does the rest.
"""

from dataclasses import dataclass, replace

from rolecall import AccountStatus
from services.team.domain import account_deletion, member_rules, members
from services.team.domain.account_access import as_owner
from services.team.domain.accounts import Account
from services.team.domain.resources import ResourceFilter
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import Ctx, NonMemberRequest
from services.team.use_cases.invitation_handover import hand_over_after_provisioning
from shared.contracts.facts import Caller, Position
from shared.ids import AccountId, UserId
from shared.journal import Guard
from shared.mongo import DbSession, transact


@dataclass(frozen=True, kw_only=True)
class Release:
    """The accounts that keep a user, and whether each replica of authz has the ends."""

    owned: tuple[Account, ...] = ()
    effective: bool = True


async def release(ctx: Ctx, user_id: UserId, *, caller: Caller, erased: bool = False) -> Release:
    """End every membership of a user, and delete for good the accounts that they own alone.

    Nothing ends while they own an account with other members. If they are `erased` already, such an
    account is deleted, too: another person joined it at the same moment. The guardrails of an
    account do not hold a user who leaves the platform.
    """
    ctx = replace(ctx, guardrails_bind=False)
    memberships = await ctx.store.memberships_of(user_id)
    accounts = await ctx.store.accounts([one.account_id for one in memberships])
    if not erased:
        shared = [
            account
            for account in accounts.values()
            if account.owner_user_id == user_id and await _keeps(ctx, account)
        ]
        if shared:
            return Release(owned=tuple(shared))
    owned: list[Account] = []
    effective = True
    for account_id in sorted(accounts):
        done = await _release_from(ctx, account_id, user_id, caller=caller, erased=erased)
        owned += done.owned
        effective = effective and done.effective
    return Release(owned=tuple(owned), effective=effective)


async def forget_erased(
    ctx: Ctx,
    user_id: UserId,
    *,
    home: AccountId,
    position: Position,
    caller: Caller,
    guard: Guard,
) -> None:
    """End what an erased user got in the last moment, and forget the name.

    A fact that comes late does not bring the name or the personal account back.
    """
    await release(ctx, user_id, caller=caller, erased=True)

    async def forget(session: DbSession) -> None:
        await guard(session)
        await ctx.store.touch_owner(user_id, session)
        await ctx.store.set_home(user_id, home, session)
        await ctx.store.learn_person(user_id=user_id, name="", position=position, session=session)

    await transact(ctx.client, forget)


async def _keeps(ctx: Ctx, account: Account) -> bool:
    """Whether other members would lose the account; one that is being deleted is lost already."""
    if account.status is AccountStatus.DELETING:
        return False
    return len(await ctx.store.members(account.account_id)) > 1


async def _release_from(
    ctx: Ctx, account_id: AccountId, user_id: UserId, *, caller: Caller, erased: bool
) -> Release:
    """End one membership, or the account of an owner."""

    async def change(write: AccountWrite) -> Account | None:
        account, member = write.account, await write.find_member(user_id)
        if account is None or member is None:
            return None
        everyone = await write.members()
        catalog = await ctx.store.catalog_of(account)
        owner = await write.member(account.owner_user_id)
        access = as_owner(account, catalog, owner, now=write.now)
        if owner.user_id == user_id:
            if len(everyone) > 1 and not erased and account.status is not AccountStatus.DELETING:
                return account
            write.account, facts = account_deletion.end_with_owner(access, everyone)
            write.record(*facts)
            return None
        managers = member_rules.managers(access, everyone)
        fact = members.leave(
            member,
            is_owner=False,
            overridden=[one.project_id for one in await write.overrides_of(user_id)],
            account_name=account.name,
            manager_emails=[manager.email for manager in managers if manager != member],
            owned_resources=await write.count_resources(ResourceFilter(owner_id=user_id)),
        )
        await write.delete_member(member)
        write.record(fact)
        await hand_over_after_provisioning(write, access, {user_id: None})
        return None

    request = NonMemberRequest(caller=caller, account_id=account_id)
    written = await ctx.change(request, change, effective_everywhere=True)
    owned = () if written.result is None else (written.result,)
    return Release(owned=owned, effective=written.effective)
