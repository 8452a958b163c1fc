"""The ends of sessions: one, those of a user, those of an account, and one that was stolen."""

from datetime import datetime

from services.identity.domain import sessions
from services.identity.domain.sessions import UserSession
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from shared.contracts.facts import Caller
from shared.ids import AccountId, SessionId, UserId
from shared.journal import Guard, JournalWrite
from shared.problems import Unavailable

SESSIONS_PER_WRITE = 100
"""The most sessions that end in one transaction: a script can leave thousands of them open."""


async def end_sessions_in(
    ctx: Ctx,
    caller: Caller,
    *,
    user_id: UserId,
    account_id: AccountId,
    changed_at: datetime,
    guard: Guard,
) -> None:
    """End the user's sessions in an account that started before their role changed (Nv16)."""

    async def change(write: JournalWrite) -> None:
        for session in await ctx.store.sessions_in(user_id, account_id, write.session):
            if sessions.ended_by_role_change(session, changed_at=changed_at):
                await end_session(ctx, write, session)

    await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=False, guard=guard)


async def end_sessions_of(
    ctx: Ctx, write: JournalWrite, user_id: UserId, *, keep: SessionId | None
) -> bool:
    """End the user's sessions but `keep`, within a write; whether there are no more of them."""
    found = await ctx.store.active_sessions(user_id, write.session, limit=SESSIONS_PER_WRITE + 2)
    others = [session for session in found if session.id != keep]
    for session in others[:SESSIONS_PER_WRITE]:
        await end_session(ctx, write, session)
    return len(others) <= SESSIONS_PER_WRITE


async def end_session(ctx: Ctx, write: JournalWrite, session: UserSession) -> None:
    """End a session within a write."""
    ended, fact = sessions.end(session, now=write.now, rev=write.rev)
    await ctx.store.update_session(session, ended, write.session)
    write.record(fact)


async def end_reused(ctx: Ctx, caller: Caller, session_id: SessionId, user: User) -> None:
    """End a session whose old refresh token returned, and wait until the end is in force.

    Raises:
        Unavailable: it is not in force everywhere yet.
    """

    async def change(write: JournalWrite) -> None:
        session = await ctx.store.session(user.id, session_id, write.session)
        if session is None or session.ended_at is not None:
            return  # the write then waits until the earlier end is in force
        ended, fact = sessions.end_reused(session, user=user, now=write.now, rev=write.rev)
        await ctx.store.update_session(session, ended, write.session)
        write.record(fact)

    written = await ctx.journal.write(user.id, change, caller=caller, effective_everywhere=True)
    if not written.effective:
        raise Unavailable
