"""Sign-up: a person asks to become a user, alone or by an invitation."""

import contextlib
from datetime import datetime
from functools import partial

from pydantic import ValidationError

from services.identity.domain import sessions, sign_up
from services.identity.domain.devices import origin_of
from services.identity.domain.mail_budgets import MailKind
from services.identity.domain.mfa import OtpRequired
from services.identity.domain.passwords import check_password
from services.identity.domain.sessions import WrongCredentials
from services.identity.domain.sign_up import AccountExists, Registration, check_registration
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.imported_passwords import with_password
from services.identity.use_cases.mail_budgets import Addressee, Mail, request_mail
from services.identity.use_cases.personal_accounts import with_personal_account
from services.identity.use_cases.rate_limits import rate_limited, sign_in_limits_of
from services.identity.use_cases.sessions import SignedIn, new_session
from services.identity.use_cases.sign_in import start_session
from shared.addresses import Address, parse_address
from shared.contracts.calls.team import INVITATION_LOOKUP, InvitationLookupRequest, InvitedAddress
from shared.contracts.facts import Caller
from shared.contracts.refusals import InvitationNotValid
from shared.contracts.topology import Service
from shared.ids import AccountId, SignUpId, UserId, new_id
from shared.journal import JournalWrite
from shared.locales import DEFAULT_LOCALE, Locale
from shared.mongo import AlreadyThere
from shared.problems import Invalid, Refusal, RefusalKind


async def register(
    ctx: Ctx, caller: Caller, *, email: str, name: str, locale: Locale = DEFAULT_LOCALE
) -> None:
    """Start or repeat the sign-up of an address, and have a mail sent to it (Rp1, B1).

    If the address has a user, the mail says so. Beyond the mailbox's budget nothing is mailed, and
    the newest mailed link keeps working. The answer is the same for every address (`T9`).

    Raises:
        Invalid, TooManyRequests: the same for every address.
    """
    registration = check_registration(email=email, name=name, locale=locale)
    await _mail(ctx, caller, registration.address, registration=registration)


async def resend(ctx: Ctx, caller: Caller, *, email: str) -> None:
    """Have the mail of a sign-up sent again, if the address has a sign-up or a user.

    Raises:
        Invalid, TooManyRequests: the same for every address.
    """
    try:
        address = parse_address(email)
    except ValueError as problem:
        raise Invalid(errors=[("/email", str(problem))]) from problem
    await _mail(ctx, caller, address, registration=None)


async def register_invited(
    ctx: Ctx,
    caller: Caller,
    *,
    token: str,
    code: str,
    name: str,
    password: str | None,
    locale: Locale = DEFAULT_LOCALE,
) -> SignedIn | None:
    """Sign up by an invitation; its address comes from team, never from the body (Ci2, Ro8).

    An e-mailed invitation proves the address: there is a user at once, with this password, and
    they are signed in. Team makes the personal account first, if it can in time. The same request
    repeated signs in again. An invitation that was handed over proves nothing: the password is
    ignored, a link is mailed, and the result is `None`.

    Raises:
        InvitationNotValid, Invalid, TooManyRequests, HashingBusy.
        AccountExists: the address has a user with another password.
    """
    invited = await _look_up(ctx, token=token, code=code)
    if invited.delivery != "email":
        await register(ctx, caller, email=invited.email, name=name, locale=locale)
        return None
    registration = check_registration(email=invited.email, name=name, locale=locale)
    if password is None:
        raise Invalid(errors=[("/password", "This invitation needs a password. Choose one.")])
    address = registration.address
    product = ctx.settings.product_name
    check_password(
        password, field="password", names=[registration.name], email=address.typed, product=product
    )
    limits = sign_in_limits_of(ctx, caller, address.key)
    async with rate_limited(ctx, *limits, counted=(AccountExists,)) as attempts:
        signed_in = None
        if await ctx.store.user_of(address.key) is None:
            with contextlib.suppress(AlreadyThere):
                password_hash = await ctx.hasher.hash(password, attempts=attempts)
                signed_in = await _add(ctx, caller, registration, password_hash)
        if signed_in is None:
            signed_in = await _sign_in_again(ctx, caller, address, password, attempts=attempts)
    return await with_personal_account(ctx, signed_in)


def new_user(
    ctx: Ctx,
    caller: Caller,
    *,
    address: Address,
    name: str,
    password_hash: str | None,
    locale: Locale,
) -> User:
    """Make the user of an address that is proved now, with the id of the personal account."""
    now = ctx.clock.now()
    return User(
        id=UserId(new_id("usr")),
        email=address.typed,
        email_key=address.key,
        name=name,
        password_hash=password_hash,
        account_id=AccountId(new_id("acc")),
        created_at=now,
        verified_at=now,
        known_devices=(origin_of(caller.request).fingerprint,),
        locale=locale,
    )


async def _mail(
    ctx: Ctx, caller: Caller, address: Address, *, registration: Registration | None
) -> None:
    """Have the link of the sign-up mailed, or the news that the address has a user."""
    sign_up_id = SignUpId(new_id("sup"))

    def mail_of(addressee: Addressee, now: datetime) -> Mail | None:
        if addressee.user is not None:
            return Mail(fact=sign_up.refused(addressee.user))
        current = addressee.sign_up
        if registration is None:
            mailed = sign_up.resend(current, now=now)
        else:
            mailed = sign_up.request(current, registration, sign_up_id=sign_up_id, now=now)
        if mailed is None:
            return None
        pending, fact = mailed
        return Mail(fact=fact, save=partial(ctx.store.save_sign_up, current, pending))

    await request_mail(ctx, caller, address.key, kind=MailKind.SIGN_UP, mail_of=mail_of)


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


async def _add(
    ctx: Ctx, caller: Caller, registration: Registration, password_hash: str
) -> SignedIn:
    user = new_user(
        ctx,
        caller,
        address=registration.address,
        name=registration.name,
        password_hash=password_hash,
        locale=registration.locale,
    )
    session = new_session(ctx, caller, user)

    async def change(write: JournalWrite) -> None:
        await ctx.store.insert_users([user], write.session)
        await ctx.store.delete_sign_up_of(user.email_key, write.session)
        await ctx.store.insert_session(session, write.session)
        write.record(*sign_up.signed_up(user), sessions.started(session))

    actor = caller_as(caller, user, session_id=session.id)
    await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)
    return SignedIn(user=user, session=session)


async def _sign_in_again(
    ctx: Ctx, caller: Caller, address: Address, password: str, *, attempts: int
) -> SignedIn:
    """Sign in the user of the address: the same password shows that it is the same person."""
    user = await ctx.store.user_of(address.key)
    if user is None:
        raise AccountExists
    known = await with_password(ctx, caller, user, password, attempts=attempts)
    if known is None:
        fact = sessions.sign_in_refused(user, WrongCredentials.code)
        await ctx.journal.refused(user.id, fact, caller=caller)
        raise AccountExists
    try:
        return await start_session(ctx, caller, known, proof=None)
    except (WrongCredentials, OtpRequired) as changed:
        raise AccountExists from changed
