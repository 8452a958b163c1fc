"""How does a session begin, go on, change its account and end?"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.identity import sessions
from services.identity.context import Ctx
from services.identity.domain import EMAIL_NOT_VERIFIED, User, WrongCredentials, acting, refused
from services.identity.limits import Bucket, counted, network_of
from services.identity.sessions import RefreshTokenInvalid, Turn, UserSession, rotate, started, turn
from shared.addresses import parse_address
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import AccountId, SessionId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.journal.journal import Guard
from shared.mongo import Lost
from shared.problems import Unauthenticated, Unavailable

LOGIN_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A user and the session that tokens are to be made for."""

    user: User
    session: UserSession


def session_lifetime(ctx: Ctx) -> timedelta:
    """How long a session lives without being refreshed."""
    return timedelta(days=ctx.settings.session_days)


def new_session(ctx: Ctx, user: User) -> UserSession:
    """A session that nobody had before, in the personal account (`T11`)."""
    now = ctx.clock.now()
    return UserSession(
        id=SessionId(new_id("ses")),
        user_id=user.id,
        account_id=user.account_id,
        started_at=now,
        expires_at=now + session_lifetime(ctx),
    )


def login_buckets(ctx: Ctx, caller: Caller, key: str) -> tuple[Bucket, ...]:
    """What failed sign-ins count against: the address from this sender, and the sender (`T8`)."""
    sender = network_of(caller.request.ip)
    most, most_of_sender = ctx.settings.logins_per_address, ctx.settings.logins_per_ip
    return (
        Bucket(of=("login", key, sender), most=most, per=LOGIN_WINDOW),
        Bucket(of=("logins", sender), most=most_of_sender, per=LOGIN_WINDOW),
    )


async def log_in(ctx: Ctx, caller: Caller, *, email: str, password: str) -> SignedIn:
    """Sign in with address and password.

    Raises:
        WrongCredentials: either is wrong, or the address is not proved yet; equal in body, status
            and time, and in what it counts.
        TooManyRequests, Busy: the same for every address.
    """
    began = ctx.clock.boottime()
    key = _key(email)
    buckets = login_buckets(ctx, caller, key)
    async with counted(ctx.store, ctx.clock.now(), *buckets, refusals=(WrongCredentials,)):
        user = await ctx.store.holder(key) or await ctx.store.claimant(key)
        if user is not None and user.lapsed(ctx.clock.now()):
            user = None
        known = await ctx.passwords.verify(user.password_hash if user else None, password)
        if user is not None and known and user.verified:
            return await start_session(ctx, caller, user)
        if user is not None:
            code = EMAIL_NOT_VERIFIED if known else WrongCredentials.code
            await ctx.journal.refused(user.id, refused(user, code), caller=caller)
        await ctx.leave_evenly(began)
        raise WrongCredentials


async def start_session(ctx: Ctx, caller: Caller, user: User) -> SignedIn:
    """A new session for a user who just proved who they are."""
    session = new_session(ctx, user)

    async def work(tx: JournalWrite) -> None:
        await ctx.store.insert_session(session, tx.session)
        tx.record(started(session))

    who = acting(caller, user, session)
    await ctx.journal.write(user.id, work, caller=who, effective_everywhere=False)
    return SignedIn(user=user, session=session)


async def refresh(ctx: Ctx, caller: Caller, token: str) -> SignedIn:
    """Go on with a session; its refresh token is replaced (`T10`).

    Raises:
        RefreshTokenInvalid: it does not count. Where its successor was used before, the session
            has ended by then, on every replica of authz.
    """
    link = ctx.refresh_tokens.read(token)
    if link is None:
        raise RefreshTokenInvalid
    while True:
        session = await ctx.store.session(SessionId(link.id))
        user = None if session is None else await ctx.store.user(session.user_id)
        if session is None or user is None:
            raise RefreshTokenInvalid
        now = ctx.clock.now()
        match turn(session, generation=link.generation, now=now):
            case Turn.SAME:
                return SignedIn(user=user, session=session)
            case Turn.NEXT:
                rotated = rotate(session, now=now, lifetime=session_lifetime(ctx))
                try:
                    await ctx.store.update_session(session, rotated)
                except Lost:
                    continue  # another tab was first: look again
                return SignedIn(user=user, session=rotated)
            case Turn.REUSED:
                await _end_reused(ctx, caller, session, user)
                raise RefreshTokenInvalid


async def log_out(ctx: Ctx, caller: Caller, principal: UserPrincipal) -> WriteResult[None]:
    """End the session of the request; when it ended before, make sure that everybody knows.

    Raises:
        Unavailable: it ended before, and some replica of authz may not know it yet.
    """

    async def work(tx: JournalWrite) -> None:
        session = await ctx.store.session(principal.session_id, tx.session)
        if session is None or session.ended_at is not None:
            return
        ended, fact = sessions.end(session, now=tx.now, rev=tx.rev)
        await ctx.store.update_session(session, ended, tx.session)
        tx.record(fact)

    user = await ctx.store.user(principal.user_id)
    who = caller if user is None else acting(caller, user)
    written = await ctx.journal.write(
        principal.user_id, work, caller=who, effective_everywhere=True
    )
    if written.revision is None and not await ctx.journal.settle(principal.user_id):
        raise Unavailable
    return written


async def live_session(ctx: Ctx, principal: UserPrincipal) -> SignedIn:
    """User and session of a request, as they are now and not as its token says (`T5`).

    Raises:
        Unauthenticated: the session ended.
    """
    session = await ctx.store.session(principal.session_id)
    user = None if session is None else await ctx.store.user(session.user_id)
    if session is None or user is None or not session.alive(ctx.clock.now()):
        raise Unauthenticated
    return SignedIn(user=user, session=session)


async def switch(
    ctx: Ctx, principal: UserPrincipal, account_id: AccountId, *, revision: str | None
) -> SignedIn:
    """Make an account the session's current one, without signing in again (Ro21, Ro23).

    Raises:
        NotFound, PermissionMissing: authz says that the user may not see it.
        Unauthenticated, Unavailable.
    """
    await ctx.checker.check(principal, account_id, "account:view", revision=revision)
    while True:
        current = await live_session(ctx, principal)
        switched = replace(current.session, account_id=account_id)
        try:
            await ctx.store.update_session(current.session, switched)
        except Lost:
            continue  # a refresh was first: look again
        return SignedIn(user=current.user, session=switched)


async def end_sessions_in(
    ctx: Ctx,
    caller: Caller,
    *,
    user_id: UserId,
    account_id: AccountId,
    before: datetime,
    guard: Guard,
) -> None:
    """End the user's sessions whose current account this is and that began by then (Nv16)."""

    async def work(tx: JournalWrite) -> None:
        for session in await ctx.store.sessions_in(user_id, account_id, tx.session):
            if session.started_at <= before:
                ended, fact = sessions.end(session, now=tx.now, rev=tx.rev)
                await ctx.store.update_session(session, ended, tx.session)
                tx.record(fact)

    await ctx.journal.write(user_id, work, caller=caller, effective_everywhere=False, guard=guard)


async def leave_account(
    ctx: Ctx, caller: Caller, *, user_id: UserId, account_id: AccountId, guard: Guard
) -> None:
    """Take the user's sessions out of an account that they are no member of any more."""

    async def work(tx: JournalWrite) -> None:
        user = await ctx.store.user(user_id, tx.session)
        if user is None or user.account_id == account_id:
            return
        for session in await ctx.store.sessions_in(user_id, account_id, tx.session):
            left = replace(session, account_id=user.account_id)
            await ctx.store.update_session(session, left, tx.session)

    await ctx.journal.write(user_id, work, caller=caller, effective_everywhere=False, guard=guard)


async def _end_reused(ctx: Ctx, caller: Caller, seen: UserSession, user: User) -> None:
    async def work(tx: JournalWrite) -> None:
        session = await ctx.store.session(seen.id, tx.session)
        if session is None or session.ended_at is not None:
            return
        ended, fact = sessions.end_reused(
            session, email=user.email, name=user.name, now=tx.now, rev=tx.rev
        )
        await ctx.store.update_session(session, ended, tx.session)
        tx.record(fact)

    await ctx.journal.write(user.id, work, caller=caller, effective_everywhere=True)


def _key(email: str) -> str:
    """The comparison key; for what is no address a text that no user has, counted alike."""
    try:
        return parse_address(email).key
    except ValueError:
        return f"no address: {email}"
