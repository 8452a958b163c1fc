"""Delete an account, restore it, and delete its rows when the time to restore it is over."""

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

from rolecall import AccountStatus
from services.team.domain import account_deletion
from services.team.domain.account_access import AccountAccess
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.accounts import verified_user
from services.team.use_cases.context import AccountRequest, Ctx, NonMemberRequest
from services.team.use_cases.owned_accounts import open_personal_in_place
from shared.contracts.facts import service_caller
from shared.contracts.topology import Service
from shared.due_work import DueWork
from shared.ids import AccountId
from shared.journal import WriteResult

ROWS_OF_A_BATCH = 500
"""A batch is one short write; nothing waits for the rows of a large account."""

_log = logging.getLogger(__name__)


async def delete(ctx: Ctx, request: AccountRequest, *, confirm: str) -> WriteResult[AccountAccess]:
    """Begin the deletion of an account; from the answer on only its owner can look at it.

    The owner gets a new personal account if this one is their home, in which sessions begin. Until
    it is deleted for good they own both.

    Raises:
        OwnerOnly, ConfirmationWrong: see the domain.
        AccountLimit: the owner would get a new account, and owns as many as one user can.
        Unavailable: identity cannot be asked where the owner's sessions begin.
    """
    await ctx.authorize(request)  # identity is asked for those who may ask this
    user = await verified_user(ctx, request.user_id)
    grace = timedelta(days=ctx.settings.deletion_grace_days)

    async def change(write: AccountWrite) -> AccountAccess:
        access = write.access
        account_deletion.require_owner(access, confirm=confirm)
        begun = access.account.status is AccountStatus.DELETING
        write.require_precondition(access, applied=begun)
        if begun:
            return access
        account, facts = account_deletion.request(
            access,
            await write.members(),
            grace=grace,
            personal_account_id=await open_personal_in_place(
                ctx,
                write,
                access.membership,
                user=user,
                limit=ctx.settings.accounts_per_user,
            ),
        )
        write.account = account
        write.record(*facts)
        return replace(access, account=account)

    request = replace(request, while_deleting=True)
    return await ctx.change(request, change, effective_everywhere=True)


async def restore(ctx: Ctx, request: AccountRequest) -> WriteResult[AccountAccess]:
    """Undo the deletion of an account; its members have their access again.

    Raises:
        OwnerOnly, DeletionBegan: see the domain.
    """

    async def change(write: AccountWrite) -> AccountAccess:
        access = write.access
        account, facts = account_deletion.restore(access, await write.members())
        write.account = account
        write.record(*facts)
        return replace(access, account=account)

    request = replace(request, while_deleting=True)
    return await ctx.change(request, change, effective_everywhere=True)


def due_deletions(ctx: Ctx) -> DueWork[AccountId]:
    """Delete the rows of each account whose time to be restored is over."""

    async def find() -> list[AccountId]:
        return await ctx.store.due_accounts(now=ctx.clock.now())

    return DueWork(
        service=Service.TEAM,
        name="deletion",
        effect="Deleted accounts keep their rows.",
        find=find,
        do=partial(_delete_rows, ctx),
    )


async def _delete_rows(ctx: Ctx, account_id: AccountId) -> None:
    """Delete all rows of an account, its own one last: until then another attempt continues.

    The mark comes first. A restoration or suspension at the same moment writes the same row, so it
    comes before the mark, and the account stays, or it finds the mark and is refused.
    """
    if not await ctx.store.mark_purging(account_id, now=ctx.clock.now()):
        return
    marked = await ctx.store.account(account_id)
    if marked is None:
        return
    owner_id = marked.owner_user_id
    while await ctx.store.delete_rows_of(account_id, owner_id, limit=ROWS_OF_A_BATCH):
        pass

    async def change(write: AccountWrite) -> None:
        account = write.account
        if account is None or not account.purging:
            return  # another replica was first
        await write.delete_rest()
        write.delete_account()
        write.record(account_deletion.deleted(account))

    request = NonMemberRequest(caller=service_caller(Service.TEAM), account_id=account_id)
    written = await ctx.change(request, change, effective_everywhere=False)
    if written.revision is not None:
        _log.info("An account was deleted.", extra={"account_id": account_id})
