"""What members change of an account itself: its name, and the demand of a second factor."""

from dataclasses import replace

from services.team.domain import accounts, second_factors
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.second_factors import DemandInPerson
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from shared.journal import WriteResult


async def update(
    ctx: Ctx, request: AccountRequest, *, name: str | None, require_second_factor: bool | None
) -> WriteResult[AccountAccess]:
    """Give the account another name, or demand a second factor of its members, or no longer.

    A demand, and its end, are in force everywhere with the answer.

    Raises:
        DemandInPerson: an API token changes the demand.
        OwnSecondFactorMissing, OwnerSecondFactorMissing: as `second_factors.demand`.
    """

    async def change(write: AccountWrite) -> AccountAccess:
        access = write.access
        account = access.account
        renamed = name not in (None, account.name)
        demanded = require_second_factor not in (None, account.require_second_factor)
        write.require_precondition(access, applied=not renamed and not demanded)
        if name is not None and renamed:
            account, fact = accounts.rename(account, name)
            write.record(fact)
        if demanded:
            account = await _change_demand(ctx, request, write, account)
        write.account = account
        return replace(access, account=account)

    everywhere = require_second_factor is not None
    return await ctx.change(request, change, effective_everywhere=everywhere)


async def _change_demand(
    ctx: Ctx, request: AccountRequest, write: AccountWrite, account: Account
) -> Account:
    """Turn the demand on or off."""
    if request.token is not None:
        raise DemandInPerson
    if account.require_second_factor:
        account, fact = second_factors.demand_no_longer(account)
        write.record(fact)
        return account
    members = await write.members()
    with_factor = {one.user_id for one in members if ctx.callers.has_second_factor(one.user_id)}
    account, facts = second_factors.demand(
        replace(write.access, account=account), members, with_factor=with_factor
    )
    write.record(*facts)
    return account
