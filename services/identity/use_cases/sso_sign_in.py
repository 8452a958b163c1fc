"""Sign-in with an issuer of OpenID Connect (B16)."""

from dataclasses import dataclass, replace

from services.identity.domain import identities, sessions, sign_up, sso_sign_in
from services.identity.domain.devices import origin_of
from services.identity.domain.disabled_users import SignInDisabled
from services.identity.domain.id_tokens import IssuedIdentity, IssuerAnswerInvalid, check_claims
from services.identity.domain.identities import (
    IdentityNotLinked,
    LinkedIdentity,
    identity_id,
    trusted_address,
)
from services.identity.domain.mfa import OtpRequired, WrongOtp
from services.identity.domain.rate_limits import SIGN_IN_WINDOW, RateLimit
from services.identity.domain.sso_connections import SsoConnection, SsoConnectionUnknown
from services.identity.domain.sso_continuation import SsoOtpRequired, continuation_of
from services.identity.domain.sso_sign_in import SsoAnswer, SsoSignInOver
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.devices import remember_device
from services.identity.use_cases.joining import require_open_account, with_membership
from services.identity.use_cases.personal_accounts import with_personal_account
from services.identity.use_cases.rate_limits import rate_limited
from services.identity.use_cases.second_factors import find_proof, use_proof
from services.identity.use_cases.sessions import SignedIn, new_session
from services.identity.use_cases.sign_up import new_user
from services.identity.use_cases.sso_connections import (
    connection_by_id,
    connection_of_address,
    require_proof,
)
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite
from shared.locales import DEFAULT_LOCALE, Locale
from shared.mongo import AlreadyThere, Lost
from shared.networks import network_of
from shared.problems import Invalid, Unavailable

ROUNDS = 4
"""How often a sign-in is tried whose user another request made or changed at the same moment."""


@dataclass(frozen=True, kw_only=True)
class BegunSignIn:
    """Where the browser goes, and what it keeps until the issuer has answered."""

    authorization_url: str
    binding: str


@dataclass(frozen=True, kw_only=True)
class ProvedIdentity:
    """An identity that an issuer has just proved, through this connection."""

    issued: IssuedIdentity
    connection: SsoConnection
    locale: Locale = DEFAULT_LOCALE


async def begin(
    ctx: Ctx, caller: Caller, *, connection_id: str | None, email: str | None, page: str | None
) -> BegunSignIn:
    """Begin a sign-in, through a connection or the one of an address's domain.

    Raises:
        Invalid: the input names no connection, or two, or a page that is not configured.
        SsoConnectionUnknown, IssuerUnavailable, TooManyRequests: the same for every user.
    """
    async with rate_limited(ctx, sender_limit(ctx, caller)):
        connection = await _named(ctx, connection_id, email)
        return await begin_with(ctx, connection, page=page)


async def begin_with(
    ctx: Ctx, connection: SsoConnection, *, page: str | None, user_id: UserId | None = None
) -> BegunSignIn:
    """Begin a sign-in through this connection, or the link of an identity to a user.

    Raises:
        Invalid: the page is not configured.
        IssuerUnavailable: the issuer has no metadata that can be used.
        ConnectionPaused: the account of the connection is suspended, or being deleted, or gone.
    """
    pages = ctx.settings.sign_in_pages
    if page is not None and page not in pages:
        fault = "Must be one of the pages that the operator has configured."
        raise Invalid(errors=[("/redirect", fault)])
    await require_open_account(ctx, connection)
    metadata = await ctx.issuers.metadata(connection)
    sign_in = sso_sign_in.begin(
        connection,
        redirect_uri=sso_sign_in.redirect_uri_of(page or pages[0], connection.id),
        now=ctx.clock.now(),
        user_id=user_id,
    )
    return BegunSignIn(
        authorization_url=sso_sign_in.authorization_url(
            sign_in, connection, metadata.authorization_endpoint
        ),
        binding=ctx.sealed_sign_ins.seal(sign_in),
    )


async def finish(
    ctx: Ctx,
    caller: Caller,
    *,
    binding: str,
    answer: SsoAnswer,
    otp: str | None = None,
    locale: Locale = DEFAULT_LOCALE,
) -> SignedIn:
    """Sign in the user of the identity that the issuer has proved; make one for a new address.

    Raises:
        SsoSignInOver, IssuerAnswerInvalid: see the domain; they count for the sender.
        ConnectionPaused: the account of the connection is suspended, or being deleted, or gone.
        IdentityNotLinked: the issuer's word is not enough.
        SignInDisabled: the operator has disabled the user.
        SsoOtpRequired: the user has a second factor, which no issuer can prove; it goes on there.
        WrongOtp: the code that was sent at once is wrong.
        IssuerUnavailable, TooManyRequests, Unavailable.
    """
    limit = sender_limit(ctx, caller)
    async with rate_limited(ctx, limit, counted=(SsoSignInOver, IssuerAnswerInvalid, WrongOtp)):
        proved = replace(await prove(ctx, binding=binding, answer=answer), locale=locale)
        try:
            return await enter(ctx, caller, proved, otp)
        except OtpRequired:
            begun = continuation_of(
                proved.issued, connection_id=proved.connection.id, now=ctx.clock.now()
            )
            raise SsoOtpRequired(ctx.sealed_continuations.seal(begun)) from None


async def enter(ctx: Ctx, caller: Caller, proved: ProvedIdentity, otp: str | None) -> SignedIn:
    """Sign in the user of an identity, again if another request came first.

    Raises:
        IdentityNotLinked, SignInDisabled, OtpRequired, WrongOtp, TooManyRequests, Unavailable.
    """
    for _ in range(ROUNDS):
        try:
            signed_in = await with_personal_account(ctx, await _enter(ctx, caller, proved, otp))
            return await with_membership(ctx, signed_in, proved.issued, proved.connection)
        except (AlreadyThere, Lost):
            continue  # another request has linked the identity, or changed its user
    raise Unavailable


async def prove(
    ctx: Ctx, *, binding: str, answer: SsoAnswer, user_id: UserId | None = None
) -> ProvedIdentity:
    """Use a sign-in up, and have its issuer say who the person is.

    It is used up before the issuer is asked: of two answers at the same moment one goes on.

    Raises:
        SsoSignInOver, IssuerAnswerInvalid, IssuerUnavailable, ConnectionPaused.
    """
    now = ctx.clock.now()
    opened = ctx.sealed_sign_ins.open(binding)
    sign_in = sso_sign_in.check_answer(opened, answer, user_id=user_id, now=now)
    connection = await same_connection(ctx, sign_in.connection_id, sign_in.issuer)
    await require_open_account(ctx, connection)
    metadata = await ctx.issuers.metadata(connection)
    sso_sign_in.require_named_issuer(metadata.members, answer)
    try:
        await ctx.store.use_sign_in(sign_in)
    except AlreadyThere:
        raise SsoSignInOver from None
    token = await ctx.issuers.exchange(connection, sign_in, answer.code)
    issued = check_claims(
        token.claims,
        issuer=connection.issuer,
        client_id=connection.client_id,
        nonce=sign_in.nonce,
        algorithm=token.algorithm,
        access_token=token.access_token,
        now=ctx.clock.now(),
    )
    return ProvedIdentity(issued=issued, connection=connection)


async def same_connection(ctx: Ctx, connection_id: str, issuer: str) -> SsoConnection:
    """Return the connection of a sign-in, if it still leads to the same issuer."""
    try:
        connection = await connection_by_id(ctx, connection_id)
    except SsoConnectionUnknown:
        raise SsoSignInOver from None
    if connection.issuer != issuer:
        raise SsoSignInOver
    return connection


async def _enter(ctx: Ctx, caller: Caller, proved: ProvedIdentity, otp: str | None) -> SignedIn:
    """Start a session of the identity's user; link or make the user first where that is allowed.

    Raises:
        AlreadyThere, Lost: another request was first; the same again finds what it has made.
    """
    issued, connection = proved.issued, proved.connection
    known = await ctx.store.identity(identity_id(issued.issuer, issued.subject))
    if known is not None:
        user = await ctx.store.user(known.user_id)
        if user is None:
            raise IdentityNotLinked
        return await _start(ctx, caller, proved, user, known=known, new=False, otp=otp)
    address = trusted_address(issued, connection)
    await require_proof(ctx, connection)
    holder = await ctx.store.user_of(address.key)
    name, locale = identities.shown_name(issued, address), proved.locale
    user = holder or new_user(
        ctx, caller, address=address, name=name, password_hash=None, locale=locale
    )
    return await _start(ctx, caller, proved, user, known=None, new=holder is None, otp=otp)


async def _start(
    ctx: Ctx,
    caller: Caller,
    proved: ProvedIdentity,
    user: User,
    *,
    known: LinkedIdentity | None,
    new: bool,
    otp: str | None,
) -> SignedIn:
    """Save the session, with the link and the user that it needs, in one transaction."""
    connection = proved.connection
    session = new_session(ctx, caller, user)
    proof = None if new else await find_proof(ctx, user, otp)

    async def change(write: JournalWrite) -> User:
        current = user
        if new:
            await ctx.store.delete_sign_up_of(user.email_key, write.session)
            await ctx.store.insert_users([user], write.session)
            write.record(*sign_up.signed_up(user))
        else:
            current = await _unchanged(ctx, write, user)
            await use_proof(ctx, write, current, proof)
        if known is None:
            current = await _link(ctx, write, proved, current, new=new)
        elif await ctx.store.identity(known.id, write.session) != known:
            raise Lost(known.id)
        await ctx.store.insert_session(session, write.session)
        told = await remember_device(ctx, write, current, origin_of(caller.request))
        place = ctx.places.place_of(session.network)
        started = sessions.started(session, told=told, place=place, connection_id=connection.id)
        write.record(started)
        return current

    actor = caller_as(caller, user, session_id=session.id)
    written = await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)
    return SignedIn(user=written.result, session=session)


async def _unchanged(ctx: Ctx, write: JournalWrite, user: User) -> User:
    current = await ctx.store.user(user.id, write.session)
    if current is None or current.email_key != user.email_key:
        raise Lost(user.id)
    if current.disabled_at is not None:
        raise SignInDisabled
    return current


async def _link(
    ctx: Ctx, write: JournalWrite, proved: ProvedIdentity, user: User, *, new: bool
) -> User:
    identity = identities.linked(proved.issued, proved.connection, user_id=user.id, now=write.now)
    others = await ctx.store.identities_of(user.id, write.session)
    how = identities.LinkedBy.SIGN_UP if new else identities.LinkedBy.ADDRESS
    changed, facts = identities.link(user, identity, others, how=how)
    await ctx.store.insert_identity(identity, write.session)
    if changed != user:
        await ctx.store.update_user(user, changed, write.session)
    write.record(*facts)
    return changed


async def _named(ctx: Ctx, connection_id: str | None, email: str | None) -> SsoConnection:
    if (connection_id is None) == (email is None):
        fault = "Send either `connection` or `email`."
        raise Invalid(errors=[("", fault)])
    if connection_id is not None:
        return await connection_by_id(ctx, connection_id)
    return await connection_of_address(ctx, email or "")


def sender_limit(ctx: Ctx, caller: Caller) -> RateLimit:
    """What a sign-in with an issuer counts against: the network of its sender."""
    network = network_of(caller.request.ip)
    return RateLimit(
        key=("issuer-logins", network), limit=ctx.settings.logins_per_ip, window=SIGN_IN_WINDOW
    )
