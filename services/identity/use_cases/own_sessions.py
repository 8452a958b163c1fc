"""The sessions of the user of the request: list them, end one, end the others or all."""

from services.identity.domain.sessions import UserSession
from services.identity.domain.users import caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_session, end_sessions_of
from services.identity.use_cases.sessions import require_session
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import SessionId
from shared.journal import JournalWrite, WriteResult
from shared.problems import NotFound


async def page(
    ctx: Ctx, principal: UserPrincipal, *, before: str | None, limit: int
) -> list[UserSession]:
    """The user's live sessions, the newest first, after the session with the id `before`."""
    return await ctx.store.live_sessions(
        principal.user_id, before=before, limit=limit, now=ctx.clock.now()
    )


async def end_one(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, session_id: SessionId
) -> WriteResult[None]:
    """End a session of the user; repeated, wait until every service knows it.

    Raises:
        NotFound: the user has no such session.
        TokenRevoked: the session of the request has ended.
    """

    async def change(write: JournalWrite) -> None:
        await require_session(ctx, write, principal)
        found = await ctx.store.session(principal.user_id, session_id, write.session)
        if found is None or found.user_id != principal.user_id:
            raise NotFound
        if found.ended_at is None:
            await end_session(ctx, write, found)

    return await ctx.journal.write(
        principal.user_id,
        change,
        caller=await _named(ctx, caller, principal),
        effective_everywhere=True,
    )


async def end_all(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, current: bool
) -> WriteResult[None]:
    """End the user's other sessions, and the one of the request if `current` says so.

    Of very many sessions the first ones are ended in writes of their own.

    Raises:
        TokenRevoked: the session of the request has ended.
    """

    async def change(write: JournalWrite) -> bool:
        own = await require_session(ctx, write, principal)
        done = await end_sessions_of(ctx, write, principal.user_id, keep=own.id)
        if done and current:
            await end_session(ctx, write, own)
        return done

    actor = await _named(ctx, caller, principal)
    while True:
        written = await ctx.journal.write(
            principal.user_id, change, caller=actor, effective_everywhere=True
        )
        if written.result:
            return WriteResult(result=None, revision=written.revision, effective=written.effective)


async def _named(ctx: Ctx, caller: Caller, principal: UserPrincipal) -> Caller:
    user = await ctx.store.user(principal.user_id)
    return caller if user is None else caller_as(caller, user)
