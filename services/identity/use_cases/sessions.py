"""Sessions: refresh, sign-out, and the switch of the current account."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.identity.domain import sessions
from services.identity.domain.devices import origin_of
from services.identity.domain.sessions import (
    RefreshOutcome,
    RefreshTokenInvalid,
    SessionLifetime,
    UserSession,
    classify_refresh,
)
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_reused, end_session
from shared.auth.principals import UserPrincipal, actor_of
from shared.auth.step_up import require_fresh
from shared.contracts.calls.connections import JoinOutcome, JoinProblem
from shared.contracts.facts import Caller, shard_of
from shared.ids import AccountId, SessionId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.links import Link
from shared.mongo import Lost
from shared.problems import TokenRevoked


@dataclass(frozen=True, kw_only=True)
class Joining:
    """What became of the membership that the rule of a connection gives."""

    account_id: AccountId
    outcome: JoinOutcome
    problem: JoinProblem | None = None


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A user and the session that tokens are made for.

    `revision` is one as of which the personal account of a new user exists, if team has told it, or
    the membership that the sign-in has made. `joining` is there if its connection has a rule.
    """

    user: User
    session: UserSession
    revision: str | None = None
    joining: Joining | None = None


def session_lifetime(ctx: Ctx) -> SessionLifetime:
    """Return the time that a session lives without a refresh, and in all."""
    return SessionLifetime(
        idle=timedelta(days=ctx.settings.session_days),
        longest=timedelta(days=ctx.settings.session_max_days),
    )


def new_session(ctx: Ctx, caller: Caller, user: User) -> UserSession:
    """Make a session of the caller with a new id, which no earlier caller can know (`T11`)."""
    return sessions.start(
        user,
        session_id=_new_session_id(user.id),
        now=ctx.clock.now(),
        lifetime=session_lifetime(ctx),
        origin=origin_of(caller.request),
    )


def _new_session_id(user_id: UserId) -> SessionId:
    """Make an id in the shard of the user: a refresh token names only the session.

    An id in 64 is, so this takes about a tenth of a millisecond.
    """
    while shard_of(session_id := new_id("ses")) != shard_of(user_id):
        pass
    return SessionId(session_id)


async def refresh(ctx: Ctx, caller: Caller, token: str) -> SignedIn:
    """Continue a session; its refresh token is replaced (B1, `T10`).

    Raises:
        RefreshTokenInvalid: the token is not valid. If its session has ended, also by this request
            because its successor was used before, the end is in force everywhere by then.
        Unavailable: the end of the session is not in force everywhere yet.
    """
    link = ctx.refresh_tokens.read(token)
    if link is None:
        raise RefreshTokenInvalid
    while True:
        session = await ctx.store.session_by_id(SessionId(link.id))
        user = None if session is None else await ctx.store.user(session.user_id)
        if session is None or user is None:
            raise RefreshTokenInvalid
        if session.ended_at is not None:
            await end_reused(ctx, caller, session.id, user)
            raise RefreshTokenInvalid
        now = ctx.clock.now()
        match classify_refresh(session, generation=link.generation, now=now):
            case RefreshOutcome.REPEAT:
                return SignedIn(user=user, session=session)
            case RefreshOutcome.ROTATE:
                rotated = sessions.rotate(
                    session,
                    now=now,
                    lifetime=session_lifetime(ctx),
                    network=origin_of(caller.request).network,
                )
                try:
                    await ctx.store.update_session(session, rotated)
                except Lost:
                    continue  # another tab was first: read the session again
                return SignedIn(user=user, session=rotated)
            case RefreshOutcome.REUSE:
                await end_reused(ctx, caller, session.id, user)
                raise RefreshTokenInvalid


async def log_out(ctx: Ctx, caller: Caller, principal: UserPrincipal) -> WriteResult[None]:
    """End the session of the request; repeated, wait until every service knows it.

    Raises:
        Unavailable: the session ended before, and a service may not know it yet.
    """

    async def change(write: JournalWrite) -> None:
        session = await ctx.store.session(principal.user_id, principal.session_id, write.session)
        if session is not None and session.ended_at is None:
            await end_session(ctx, write, session)

    user = await ctx.store.user(principal.user_id)
    actor = caller if user is None else caller_as(caller, user)
    return await ctx.journal.write(
        principal.user_id, change, caller=actor, effective_everywhere=True
    )


async def end_by_refresh_token(ctx: Ctx, caller: Caller, link: Link) -> WriteResult[None] | None:
    """End the session of a genuine refresh token, which may be used; `None` if it is gone."""
    session = await ctx.store.session_by_id(SessionId(link.id))
    if session is None:
        return None
    principal = UserPrincipal(user_id=session.user_id, session_id=session.id)
    return await log_out(ctx, Caller(actor=actor_of(principal), request=caller.request), principal)


async def require_session(ctx: Ctx, write: JournalWrite, principal: UserPrincipal) -> UserSession:
    """Give the session of a request within a write.

    Raises:
        TokenRevoked: it has ended meanwhile.
    """
    session = await ctx.store.session(principal.user_id, principal.session_id, write.session)
    if session is None or not session.active(write.now):
        raise TokenRevoked
    return session


def require_fresh_proof(principal: UserPrincipal, session: UserSession, *, now: datetime) -> None:
    """Check that the user proved a short time ago who they are, as a row with `fresh_proof` does.

    The token must say so, too: an older one may be a thief's.

    Raises:
        StepUpRequired.
    """
    require_fresh(principal.proved_at, now=now)
    sessions.require_proof(session, now=now)


async def active_session(ctx: Ctx, principal: UserPrincipal) -> SignedIn:
    """Return the user and the session of a request as they are now, not as its token says (`T5`).

    Raises:
        TokenRevoked: the session has ended.
    """
    session = await ctx.store.session(principal.user_id, principal.session_id)
    user = None if session is None else await ctx.store.user(session.user_id)
    if session is None or user is None or not session.active(ctx.clock.now()):
        raise TokenRevoked
    return SignedIn(user=user, session=session)


async def switch(
    ctx: Ctx, principal: UserPrincipal, account_id: AccountId, *, revision: str | None
) -> SignedIn:
    """Make an account the session's current one, without another sign-in (Ro21, Ro23).

    Raises:
        NotFound, PermissionMissing: authz says that the user may not see the account.
        TokenRevoked, Unavailable.
    """
    await ctx.checker.check(principal, account_id, "account:view", revision=revision)
    while True:
        current = await active_session(ctx, principal)
        switched = replace(current.session, account_id=account_id)
        try:
            await ctx.store.update_session(current.session, switched)
        except Lost:
            continue  # a refresh was first: read the session again
        return SignedIn(user=current.user, session=switched)
