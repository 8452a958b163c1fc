"""Step-up: the user of a session proves again who they are."""

from dataclasses import replace

from services.identity.domain.mfa import Proof, WrongOtp
from services.identity.domain.passkeys import PasskeyChallengeOver, PasskeyRefused
from services.identity.domain.passwords import WrongPassword
from services.identity.domain.sessions import SignInAgain, sign_in_refused
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.passkeys import PasskeyAnswer, prove
from services.identity.use_cases.rate_limits import rate_limited, sign_in_limits_of
from services.identity.use_cases.second_factors import find_proof, use_proof
from services.identity.use_cases.sessions import SignedIn, active_session
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.journal import JournalWrite
from shared.problems import Invalid, TokenRevoked

_COUNTED = (WrongPassword, WrongOtp, PasskeyRefused, PasskeyChallengeOver)


async def step_up(
    ctx: Ctx,
    caller: Caller,
    principal: UserPrincipal,
    *,
    password: str | None,
    otp: str | None,
    passkey: PasskeyAnswer | None = None,
) -> SignedIn:
    """Give the session a fresh proof: a second factor, or the password of who has none.

    Raises:
        OtpRequired: the user has a second factor, so the password alone proves nothing.
        WrongOtp, WrongPassword, PasskeyRefused, PasskeyChallengeOver: each counts as a failed
            sign-in.
        Invalid: the user has no second factor and sent no password.
        SignInAgain: the user has neither.
        TokenRevoked: the session has ended.
        TooManyRequests, HashingBusy.
    """
    user = (await active_session(ctx, principal)).user
    actor = caller_as(caller, user)
    limits = sign_in_limits_of(ctx, caller, user.email_key)
    async with rate_limited(ctx, *limits, counted=_COUNTED) as attempts:
        try:
            return await _prove(
                ctx,
                actor,
                principal,
                user,
                password=password,
                otp=otp,
                passkey=passkey,
                attempts=attempts,
            )
        except _COUNTED as refusal:
            await ctx.journal.refused(user.id, sign_in_refused(user, refusal.code), caller=actor)
            raise


async def _prove(
    ctx: Ctx,
    actor: Caller,
    principal: UserPrincipal,
    user: User,
    *,
    password: str | None,
    otp: str | None,
    passkey: PasskeyAnswer | None,
    attempts: int,
) -> SignedIn:
    proof: Proof | None
    if passkey is not None:
        _, proof = await prove(ctx, actor, passkey)  # the write refuses another user's
    else:
        proof = await find_proof(ctx, user, otp, attempts=attempts)
    if proof is None:
        await _check_password(ctx, user, password, attempts=attempts)

    async def change(write: JournalWrite) -> SignedIn:
        session = await ctx.store.session(user.id, principal.session_id, write.session)
        current = await ctx.store.user(user.id, write.session)
        if session is None or current is None or not session.active(write.now):
            raise TokenRevoked
        if proof is None and current.password_hash != user.password_hash:
            raise WrongPassword
        await use_proof(ctx, write, current, proof)
        proved = replace(session, proved_at=write.now)
        await ctx.store.update_session(session, proved, write.session)
        return SignedIn(user=current, session=proved)

    written = await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)
    return written.result


async def _check_password(ctx: Ctx, user: User, password: str | None, *, attempts: int) -> None:
    if user.password_hash is None:
        raise SignInAgain
    if password is None:
        raise Invalid(errors=[("/password", "Send the password: you have no second factor.")])
    imported = user.password_imported
    if not await ctx.hasher.verify(
        user.password_hash, password, imported=imported, attempts=attempts
    ):
        raise WrongPassword
