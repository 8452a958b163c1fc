"""Show an account, suspend it and resume it, for the operator of the platform."""

from collections.abc import Callable

from services.team.domain import account_suspension
from services.team.domain.accounts import Account
from services.team.domain.members import Membership
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import Ctx, NonMemberRequest
from shared.contracts.facts import Caller, Fact
from shared.ids import AccountId
from shared.journal import WriteResult
from shared.problems import NotFound


async def find(ctx: Ctx, account_id: AccountId) -> tuple[Account, int]:
    """Return an account in any status, and the number of its members.

    Raises:
        NotFound: there is no such account.
    """
    account = await ctx.store.account(account_id)
    if account is None:
        raise NotFound
    return account, await ctx.store.count_members(account_id)


async def suspend(
    ctx: Ctx, caller: Caller, account_id: AccountId, *, explanation: str
) -> WriteResult[Account]:
    """Deny everything in the account from the answer on, and tell its owner why.

    Raises:
        NotFound: there is no such account.
        DeletionBegan: see the domain.
    """

    def rule(
        write: AccountWrite, account: Account, owner: Membership
    ) -> tuple[Account, Fact | None]:
        return account_suspension.suspend(account, owner, explanation=explanation, now=write.now)

    return await _change(ctx, caller, account_id, rule)


async def resume(ctx: Ctx, caller: Caller, account_id: AccountId) -> WriteResult[Account]:
    """End the suspension, and tell the owner.

    Raises:
        NotFound: there is no such account.
    """

    def rule(
        write: AccountWrite, account: Account, owner: Membership
    ) -> tuple[Account, Fact | None]:
        return account_suspension.resume(account, owner, now=write.now)

    return await _change(ctx, caller, account_id, rule)


async def _change(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    rule: Callable[[AccountWrite, Account, Membership], tuple[Account, Fact | None]],
) -> WriteResult[Account]:
    async def change(write: AccountWrite) -> Account:
        if write.account is None:
            raise NotFound
        owner = await write.member(write.account.owner_user_id)
        changed, fact = rule(write, write.account, owner)
        if fact is not None:
            write.account = changed
            write.record(fact)
        return changed

    request = NonMemberRequest(caller=caller, account_id=account_id)
    return await ctx.change(request, change, effective_everywhere=True)
