"""Sign-up: a person becomes a user, alone or by an invitation."""

import contextlib

from pydantic import ValidationError

from services.identity.domain import sessions, sign_up
from services.identity.domain.sessions import UserSession, WrongCredentials
from services.identity.domain.sign_up import (
    AccountExists,
    Registration,
    check_registration,
)
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.rate_limits import (
    mail_limits_of,
    rate_limited,
    sign_in_limits_of,
)
from services.identity.use_cases.sessions import SignedIn, new_session, start_session
from shared.contracts.calls.team import INVITATION_LOOKUP, InvitationLookupRequest, InvitedAddress
from shared.contracts.facts import Caller
from shared.contracts.refusals import InvitationNotValid
from shared.contracts.topology import Service
from shared.ids import AccountId, UserId, new_id
from shared.journal import JournalWrite
from shared.mongo import AlreadyThere
from shared.problems import Refusal, RefusalKind


async def register(ctx: Ctx, caller: Caller, *, email: str, name: str, password: str) -> None:
    """Add a user and have a verification link mailed (Rp1, B1).

    An address that has a verified user costs the same work and gets the same answer (`T9`).

    Raises:
        Invalid, TooManyRequests, HashingBusy: the same for every address.
    """
    registration = check_registration(email=email, name=name, password=password)
    address_key = registration.address.key
    began = ctx.clock.boottime()
    async with rate_limited(ctx, *mail_limits_of(ctx, caller, address_key)):
        user = await _new_user(ctx, registration, verified=False)
        verified_user = await ctx.store.verified_user(address_key)
        if verified_user is None:
            await _add(ctx, caller, user, session=None)
        else:
            # The user of the address finds the attempt in the audit log.
            fact = sessions.sign_in_refused(verified_user, AccountExists.code)
            await ctx.journal.refused(verified_user.id, fact, caller=caller)
    await ctx.pad_response_time(began)


async def register_invited(
    ctx: Ctx, caller: Caller, *, token: str, code: str, name: str, password: str
) -> SignedIn | None:
    """Sign up by an invitation; its address comes from team, never from the body (Ci2, Ro8).

    An e-mailed invitation proves the address: the user is verified at once and signed in. The
    same request repeated signs in again. An invitation that was handed over proves nothing: a
    verification link is mailed and the result is `None`.

    Raises:
        InvitationNotValid, Invalid, TooManyRequests, HashingBusy.
        AccountExists: the address has a user with another password.
    """
    invited = await _look_up(ctx, token=token, code=code)
    if invited.delivery != "email":
        await register(ctx, caller, email=invited.email, name=name, password=password)
        return None
    registration = check_registration(email=invited.email, name=name, password=password)
    address_key = registration.address.key
    limits = sign_in_limits_of(ctx, caller, address_key)
    async with rate_limited(ctx, *limits, counted=(AccountExists,)):
        if await ctx.store.verified_user(address_key) is None:
            user = await _new_user(ctx, registration, verified=True)
            session = new_session(ctx, user)
            with contextlib.suppress(AlreadyThere):
                await _add(ctx, caller, user, session=session)
                return SignedIn(user=user, session=session)
        return await _sign_in_again(ctx, caller, registration)


async def _look_up(ctx: Ctx, *, token: str, code: str) -> InvitedAddress:
    try:
        request = InvitationLookupRequest(token=token, code=code)
    except ValidationError:
        raise InvitationNotValid from None
    try:
        return await ctx.internal.call(INVITATION_LOOKUP, Service.TEAM, request)
    except Refusal as refusal:
        if refusal.kind in {RefusalKind.UNAVAILABLE, RefusalKind.UNEXPECTED}:
            raise
        raise InvitationNotValid from refusal


async def _new_user(ctx: Ctx, registration: Registration, *, verified: bool) -> User:
    now = ctx.clock.now()
    return User(
        id=UserId(new_id("usr")),
        email=registration.address.typed,
        email_key=registration.address.key,
        name=registration.name,
        password_hash=await ctx.hasher.hash(registration.password),
        account_id=AccountId(new_id("acc")),
        created_at=now,
        verified_at=now if verified else None,
    )


async def _add(ctx: Ctx, caller: Caller, user: User, *, session: UserSession | None) -> None:
    async def change(write: JournalWrite) -> None:
        if user.verified:
            await ctx.store.delete_unverified_users(user.email_key, write.session)
        await ctx.store.insert_user(user, write.session)
        write.record(*sign_up.sign_up(user))
        if session is not None:
            await ctx.store.insert_session(session, write.session)
            write.record(sessions.started(session))

    actor = caller_as(caller, user, session_id=session.id if session else None)
    await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)


async def _sign_in_again(ctx: Ctx, caller: Caller, registration: Registration) -> SignedIn:
    """Sign in the user of the address: the same password shows that it is the same person."""
    user = await ctx.store.verified_user(registration.address.key)
    if user is None:
        raise AccountExists
    if not await ctx.hasher.verify(user.password_hash, registration.password):
        fact = sessions.sign_in_refused(user, WrongCredentials.code)
        await ctx.journal.refused(user.id, fact, caller=caller)
        raise AccountExists
    return await start_session(ctx, caller, user)
