"""Erasure of a user, by themselves or by an operator.

Its steps can be repeated after a failure at each one.
"""

from collections.abc import Awaitable, Callable

from services.identity.domain import erasure, sessions
from services.identity.domain.erasure import Farewell, OwnsTeams
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.users import User
from services.identity.use_cases.api_tokens import end_tokens_of
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from services.identity.use_cases.sessions import active_session, require_session
from shared.auth.principals import UserPrincipal
from shared.contracts.calls.team import USER_RELEASE, UserReleaseRequest
from shared.contracts.facts import Caller
from shared.contracts.topology import Service
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.mongo import DbSession
from shared.problems import NotFound, TokenRevoked, Unavailable


async def erase(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, confirm: str
) -> WriteResult[None]:
    """Erase the user of the request, and free the address.

    Team first ends the memberships. Until the last write is committed the user can sign in, and
    repeat what was not done. That write ends all else; it is answered when it is in force
    everywhere.

    Raises:
        Invalid: `confirm` is not the user's address.
        OwnsTeams: the user owns accounts that have other members.
        StepUpRequired, TokenRevoked.
        Unavailable: team does not answer, or an end is not in force everywhere yet.
    """
    acting = await active_session(ctx, principal)
    user_id = acting.user.id
    erasure.require_confirmation(acting.user, confirm)
    sessions.require_proof(acting.session, now=ctx.clock.now())
    await _release(ctx, user_id)

    async def change(write: JournalWrite) -> bool:
        own = await require_session(ctx, write, principal)
        sessions.require_proof(own, now=write.now)
        user = await ctx.store.user(user_id, write.session)
        if user is None:
            raise TokenRevoked
        erasure.require_confirmation(user, confirm)
        ended = await end_sessions_of(ctx, write, user_id, keep=own.id)
        return ended and await _end(ctx, write, user)

    return await _write(ctx, erasure.nameless_caller(caller), user_id, change)


async def erase_for_operator(ctx: Ctx, caller: Caller, user_id: UserId) -> WriteResult[None]:
    """Erase a user who asked an operator for it, as `erase` does.

    The end of a user who is erased already is told again, so that every service drops what it has.

    Raises:
        NotFound: there is no such user, nor was one in the last 30 days.
        OwnsTeams: the user owns accounts that have other members.
        Unavailable: team does not answer, or an end is not in force everywhere yet.
    """
    await _user(ctx, user_id)
    await _release(ctx, user_id)

    async def change(write: JournalWrite) -> bool:
        user = await _user(ctx, user_id, write.session)
        ended = await end_sessions_of(ctx, write, user_id, keep=None)
        return ended and await _end(ctx, write, user)

    return await _write(ctx, caller, user_id, change)


async def farewell_to_mail(ctx: Ctx, user_id: UserId) -> Farewell:
    """Return to whom the last mail goes.

    Raises:
        LinkInvalid: it was sent, or its time is over.
    """
    found = await ctx.store.farewell(user_id)
    if found is None or found.delete_at <= ctx.clock.now():
        raise LinkInvalid
    return found


async def forget_farewell(ctx: Ctx, user_id: UserId) -> None:
    """Delete the name and address for which no more mail is to be sent."""
    await ctx.store.delete_farewell(user_id)


async def _user(ctx: Ctx, user_id: UserId, session: DbSession | None = None) -> User:
    """Find a user, or the tombstone of one.

    Raises:
        NotFound: there is neither.
    """
    found = await ctx.store.user(user_id, session) or await ctx.store.tombstone(user_id, session)
    if found is None:
        raise NotFound
    return found


async def _release(ctx: Ctx, user_id: UserId) -> None:
    """Have team end the memberships.

    Raises:
        OwnsTeams: the user owns accounts that have other members.
        Unavailable: team does not answer, or an end is not in force everywhere yet.
    """
    released = await ctx.internal.call(
        USER_RELEASE, Service.TEAM, UserReleaseRequest(user_id=user_id)
    )
    if released.owned:
        raise OwnsTeams(accounts=[one.account_name for one in released.owned])
    if not released.effective:
        raise Unavailable


async def _write(
    ctx: Ctx,
    caller: Caller,
    user_id: UserId,
    change: Callable[[JournalWrite], Awaitable[bool]],
) -> WriteResult[None]:
    """Make a change until nothing is left for another write."""
    while True:
        done = await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=True)
        if done.result:
            return WriteResult(result=None, revision=done.revision, effective=done.effective)


async def _end(ctx: Ctx, write: JournalWrite, user: User) -> bool:
    """End all that a user has, and put the tombstone there; whether there was not too much."""
    if not await end_tokens_of(ctx, write, erasure.nameless(user)):
        return False
    await end_sessions_of(ctx, write, user.id, keep=None)
    tombstone, fact = erasure.erase(user, now=write.now, rev=write.rev)
    await ctx.store.erase_user(user, tombstone, now=write.now, session=write.session)
    await ctx.store.delete_identities_of(user.id, write.session)
    await ctx.store.delete_factors(user.id, write.session)
    await ctx.store.delete_external_ids_of(user.id, write.session)
    if user.email:
        farewell = erasure.farewell(user, now=write.now)
        await ctx.store.insert_farewell(farewell, write.session)
    write.record(fact)
    return True
