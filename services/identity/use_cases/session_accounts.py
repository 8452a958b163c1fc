"""Where sessions fall back to when their user leaves an account or gets another personal one."""

from dataclasses import replace
from datetime import datetime

from services.identity.domain.users import User, with_personal_account
from services.identity.use_cases.api_tokens import end_tokens_in
from services.identity.use_cases.context import Ctx
from shared.contracts.facts import Caller
from shared.ids import AccountId, UserId
from shared.journal import Guard, JournalWrite


async def leave_account(
    ctx: Ctx,
    caller: Caller,
    *,
    user_id: UserId,
    account_id: AccountId,
    left_at: datetime,
    guard: Guard,
) -> None:
    """Move the user's sessions from an account that they left to the personal account.

    Their API tokens of that account are revoked: those of a later membership are newer.

    If that was the personal account, another one is about to be told: `take_personal_account`.
    """

    async def change(write: JournalWrite) -> None:
        user = await ctx.store.user(user_id, write.session)
        if user is None:
            return
        await end_tokens_in(ctx, write, user, account_id, made_before=left_at)
        if user.account_id == account_id:
            await ctx.store.update_user(user, replace(user, account_left=True), write.session)
            return
        await _move_sessions(ctx, write, user, account_id)

    await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=False, guard=guard)


async def take_personal_account(
    ctx: Ctx,
    caller: Caller,
    *,
    user_id: UserId,
    account_id: AccountId,
    number: int,
    guard: Guard,
) -> None:
    """Let sessions fall back to the personal account that team made for the user.

    Sessions stay in the former personal account, of which the user is a member, unless they have
    left it.
    """

    async def change(write: JournalWrite) -> None:
        user = await ctx.store.user(user_id, write.session)
        changed = None if user is None else with_personal_account(user, account_id, number=number)
        if user is None or changed is None:
            return
        await ctx.store.update_user(user, changed, write.session)
        if user.account_left:
            await _move_sessions(ctx, write, changed, user.account_id)

    await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=False, guard=guard)


async def _move_sessions(ctx: Ctx, write: JournalWrite, user: User, left: AccountId) -> None:
    for session in await ctx.store.sessions_in(user.id, left, write.session):
        moved = replace(session, account_id=user.account_id)
        await ctx.store.update_session(session, moved, write.session)
