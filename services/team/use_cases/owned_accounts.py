"""The accounts that a user owns: creating a further one, and never being without one."""

from collections.abc import Callable

from pydantic import BaseModel

from services.team.domain import accounts
from services.team.domain.members import Membership
from services.team.domain.ownership_refusals import AccountLimit, AddressNotVerified
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.accounts import OwnAccount, VerifiedUser, verified_user
from services.team.use_cases.callers import with_name
from services.team.use_cases.catalogs import catalog_named, personal_catalog
from services.team.use_cases.context import Ctx, NonMemberRequest
from shared.addresses import parse_address
from shared.contracts.facts import Caller, shard_of
from shared.http.idempotency import IdempotencyGuard
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.journal import WriteResult


async def create(
    ctx: Ctx,
    *,
    caller: Caller,
    user_id: UserId,
    name: str,
    catalog_name: str | None,
    key: IdempotencyGuard | None,
    repeat_answer: Callable[[OwnAccount], BaseModel],
) -> WriteResult[OwnAccount]:
    """Create a further team that the user owns (`Ro20`).

    The account is in the journal shard of its user. A repeat with the same key then waits for the
    first request, whose account it does not know.

    Raises:
        AddressNotVerified: identity does not know the user as active and verified.
        AccountLimit: the user owns as many accounts as one user can.
        Invalid: no such catalog is published.
        Unavailable: identity cannot be asked.
    """
    user = await verified_user(ctx, user_id)
    if user is None:
        raise AddressNotVerified
    limit = ctx.settings.accounts_per_user
    catalog = await catalog_named(ctx, catalog_name or ctx.settings.personal_catalog)

    async def change(write: AccountWrite) -> OwnAccount:
        owned = await write.accounts_owned_by(user_id)
        if len(owned.ids) >= limit:
            raise AccountLimit(limit=limit)
        account, owner, fact = accounts.open_team(
            account_id=account_id,
            user_id=user_id,
            membership_id=MembershipId(new_id("mem")),
            address=parse_address(user.email),
            user_name=await write.name_for_joining(user_id, otherwise=user.name),
            name=name,
            catalog=catalog,
            now=write.now,
        )
        await write.insert_account(account)
        await write.insert_member(owner)
        write.record(fact)
        return OwnAccount(account=account, catalog=catalog, membership=owner)

    account_id = account_id_in(shard_of(user_id))
    request = NonMemberRequest(
        caller=with_name(caller, name=user.name, email=user.email),
        account_id=account_id,
        idempotency=key,
        repeat_answer=repeat_answer,
    )
    return await ctx.change(request, change, effective_everywhere=True)


async def open_personal_in_place(
    ctx: Ctx,
    write: AccountWrite,
    former_owner: Membership,
    *,
    user: VerifiedUser | None,
    limit: int | None = None,
) -> AccountId | None:
    """Give a new personal account to a user who loses their home, in which sessions begin.

    It is in the journal shard of that account: both change in one transaction. Identity learns it
    from the fact, and it is the home from now on. `former_owner` is the user's membership in the
    account of `write`. `user` is what identity says of them; its account is the home until another
    has replaced it. Without an answer the account that is lost counts as the home. `limit` bounds
    what the user owns while the lost account counts still.

    Raises:
        AccountLimit: the user owns that many already.
    """
    lost, user_id = former_owner.account_id, former_owner.user_id
    owned = await write.accounts_owned_by(user_id)
    told = user.account_id if user is not None and user.user_id == user_id else None
    home = owned.home or told
    if home in owned.lasting - {lost}:
        return None
    if limit is not None and len(owned.ids) >= limit:
        raise AccountLimit(limit=limit)
    account_id = account_id_in(shard_of(lost))
    account, owner, fact = accounts.open_personal(
        account_id=account_id,
        user_id=user_id,
        membership_id=MembershipId(new_id("mem")),
        address=parse_address(former_owner.email),
        name=await write.name_for_joining(user_id, otherwise=former_owner.name),
        catalog=await personal_catalog(ctx),
        now=write.now,
        number=owned.number,
    )
    opened = write.opening(account_id)
    await opened.insert_account(account)
    await opened.insert_member(owner)
    opened.record(fact)
    await write.set_home(user_id, account_id)
    return account_id


def account_id_in(shard: int) -> AccountId:
    """A new account id whose journal shard is this one: every sixty-fourth id is."""
    while True:
        account_id = AccountId(new_id("acc"))
        if shard_of(account_id) == shard:
            return account_id
