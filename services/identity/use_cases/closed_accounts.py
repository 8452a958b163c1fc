"""Sessions leave an account that denies everything."""

from dataclasses import replace

from services.identity.domain.sessions import UserSession
from services.identity.use_cases.context import Ctx
from shared.ids import AccountId, UserId
from shared.mongo import Lost

SESSIONS_OF_A_PAGE = 100


async def leave_closed_account(ctx: Ctx, account_id: AccountId) -> None:
    """Move every session from an account that denies everything to its user's personal account.

    The sessions of the user whose personal account this is stay. What a crash leaves is moved when
    the fact is delivered again.
    """
    staying: set[UserId] = set()
    while page := await ctx.store.sessions_of_account(
        account_id, without=staying, limit=SESSIONS_OF_A_PAGE
    ):
        users = await ctx.store.users_among({session.user_id for session in page})
        for session in page:
            user = users.get(session.user_id)
            if user is None or user.account_id == account_id:
                staying.add(session.user_id)
            else:
                await _move(ctx, session, user.account_id)


async def _move(ctx: Ctx, found: UserSession, personal: AccountId) -> None:
    session: UserSession | None = found
    while session is not None and session.ended_at is None:
        if session.account_id != found.account_id:
            return
        try:
            await ctx.store.update_session(session, replace(session, account_id=personal))
        except Lost:
            session = await ctx.store.session(
                found.user_id, found.id
            )  # a refresh was first: read it again
        else:
            return
