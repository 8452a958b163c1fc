"""Sign-in with a password, and with the second factor of a user who has one."""

from services.identity.domain import sessions
from services.identity.domain.devices import origin_of
from services.identity.domain.imported_passwords import COMPARISON_SECONDS
from services.identity.domain.mfa import Proof, WrongOtp
from services.identity.domain.sessions import UserSession, WrongCredentials
from services.identity.domain.users import User, caller_as
from services.identity.store import WRITES_OF_A_FACT
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.devices import remember_device
from services.identity.use_cases.imported_passwords import with_password
from services.identity.use_cases.rate_limits import rate_limited, sign_in_limits_of
from services.identity.use_cases.second_factors import find_proof, use_proof
from services.identity.use_cases.sessions import SignedIn, new_session
from shared.addresses import parse_address
from shared.contracts.facts import Caller
from shared.journal import JournalWrite


async def log_in(
    ctx: Ctx, caller: Caller, *, email: str, password: str, otp: str | None = None
) -> SignedIn:
    """Sign in with an e-mail address and a password, and with a code if there is a second factor.

    Raises:
        OtpRequired: the password is right, and a code is needed. No attempt is counted.
        WrongOtp: the password is right, and the code is not; a failed sign-in.
        WrongCredentials: one of them is wrong; body, status, time and the counted attempt are the
            same for each (`T9`).
        TooManyRequests, HashingBusy: the same for every address.
    """
    began = ctx.clock.boottime()
    key = _address_key(email)
    limits = sign_in_limits_of(ctx, caller, key)
    async with rate_limited(ctx, *limits, counted=(WrongCredentials, WrongOtp)) as attempts:
        user = await ctx.store.user_of(key)
        known = await with_password(ctx, caller, user, password, attempts=attempts)
        if known is not None:
            try:
                proof = await find_proof(ctx, known, otp, attempts=attempts)
                return await start_session(ctx, caller, known, proof=proof)
            except WrongOtp as refusal:
                await _record_refusal(ctx, caller, key, known, refusal.code)
                await ctx.pad_response_time(began)
                raise
        await _record_refusal(ctx, caller, key, user, WrongCredentials.code)
        imported = await ctx.store.imported_passwords_left()
        await ctx.pad_response_time(began, at_least=COMPARISON_SECONDS if imported else 0)
        raise WrongCredentials


async def _record_refusal(
    ctx: Ctx, caller: Caller, address_key: str, user: User | None, code: str
) -> None:
    """Record the refusal for the user; without one, write decoys at the same cost (`T9`).

    Both are in the shard of the address: the time of the answer does not depend on another shard.
    """

    async def change(write: JournalWrite) -> None:
        if user is None:
            await ctx.store.add_decoys(WRITES_OF_A_FACT, now=write.now, session=write.session)
        else:
            write.record(sessions.sign_in_refused(user, code))

    await ctx.journal.write(address_key, change, caller=caller, effective_everywhere=False)


async def start_session(ctx: Ctx, caller: Caller, user: User, *, proof: Proof | None) -> SignedIn:
    """Start a session for a user who has just proved who they are by their password.

    `proof` is of their second factor; it is used up with the start. A mail tells them of a device
    and network that they have not used before.

    Raises:
        OtpRequired: the user has a second factor, and there is no proof of it.
        WrongOtp: another request has used the proof.
        WrongCredentials: the password was replaced or the user disabled in the meantime. The
            session would survive a reset or an end that ends all others.
    """
    session = new_session(ctx, caller, user)

    async def change(write: JournalWrite) -> None:
        now = await ctx.store.user(user.id, write.session)
        if now is None or now.password_hash != user.password_hash or now.disabled_at is not None:
            raise WrongCredentials
        await use_proof(ctx, write, now, proof)
        await save_session(ctx, write, caller, now, session)

    actor = caller_as(caller, user, session_id=session.id)
    await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)
    return SignedIn(user=user, session=session)


async def save_session(
    ctx: Ctx, write: JournalWrite, caller: Caller, user: User, session: UserSession
) -> None:
    """Save a new session within a write, and tell its user of a new device."""
    await ctx.store.insert_session(session, write.session)
    told = await remember_device(ctx, write, user, origin_of(caller.request))
    place = ctx.places.place_of(session.network)
    write.record(sessions.started(session, told=told, place=place))


def _address_key(email: str) -> str:
    """Return the key of an address; text that is not an address counts under a key of its own."""
    try:
        return parse_address(email).key
    except ValueError:
        return f"no address: {email}"
