"""Users as the operator sees them: found, disabled, enabled and unlocked."""

from dataclasses import dataclass

from services.identity.domain import disabled_users
from services.identity.domain.mfa import SecondFactors
from services.identity.domain.rate_limits import sign_ins_of
from services.identity.domain.sessions import UserSession
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from shared.addresses import parse_address
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.problems import Invalid, NotFound

SESSIONS_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class UserState:
    """A user with their factors, and the sessions that did not end, the first of very many."""

    user: User
    factors: SecondFactors
    sessions: tuple[UserSession, ...]


async def find(ctx: Ctx, *, user_id: str | None, email: str | None) -> UserState:
    """Find a user by id or address.

    Raises:
        NotFound: there is none.
        Invalid: the text is not an address.
    """
    if user_id is not None:
        user = await ctx.store.user(UserId(user_id))
    else:
        try:
            address = parse_address(email or "")
        except ValueError as problem:
            raise Invalid(errors=[("/email", str(problem))]) from problem
        user = await ctx.store.user_of(address.key)
    if user is None:
        raise NotFound
    now = ctx.clock.now()
    found = await ctx.store.active_sessions(user.id, limit=SESSIONS_SHOWN)
    return UserState(
        user=user,
        factors=await ctx.store.factors(user.id),
        sessions=tuple(one for one in found if one.active(now)),
    )


async def disable(
    ctx: Ctx, caller: Caller, user_id: UserId, *, explanation: str
) -> WriteResult[User]:
    """Deny a user everything from the answer on, end their sessions, and tell them why.

    Both take effect together. Of very many sessions the first ones are ended in writes of their
    own, before it.

    Raises:
        NotFound: there is no such user.
    """

    async def change(write: JournalWrite) -> User | None:
        user = await _user(ctx, write, user_id)
        if not await end_sessions_of(ctx, write, user_id, keep=None):
            return None
        disabled, fact = disabled_users.disable(
            user, explanation=explanation, now=write.now, rev=write.rev
        )
        if fact is not None:
            await ctx.store.update_user(user, disabled, write.session)
            write.record(fact)
        return disabled

    while True:
        done = await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=True)
        if done.result is not None:
            return WriteResult(result=done.result, revision=done.revision, effective=done.effective)


async def enable(ctx: Ctx, caller: Caller, user_id: UserId) -> WriteResult[User]:
    """Let a user sign in again, and tell them.

    Raises:
        NotFound: there is no such user.
    """

    async def change(write: JournalWrite) -> User:
        user = await _user(ctx, write, user_id)
        enabled, fact = disabled_users.enable(user, rev=write.rev)
        if fact is not None:
            await ctx.store.update_user(user, enabled, write.session)
            write.record(fact)
        return enabled

    return await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=True)


async def unlock(ctx: Ctx, caller: Caller, user_id: UserId) -> WriteResult[User]:
    """Give the failed attempts with the user's address back, from every network.

    Another replica may refuse such a sender for `RECHECK` more.

    Raises:
        NotFound: there is no such user.
    """

    async def change(write: JournalWrite) -> User:
        user = await _user(ctx, write, user_id)
        write.record(disabled_users.unlocked(user))
        return user

    written = await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=False)
    await ctx.store.forget_about(sign_ins_of(written.result.email_key))
    ctx.refused_senders.forget_about(sign_ins_of(written.result.email_key))
    return written


async def _user(ctx: Ctx, write: JournalWrite, user_id: UserId) -> User:
    user = await ctx.store.user(user_id, write.session)
    if user is None:
        raise NotFound
    return user
