"""The proof of a second factor: found before a write, and used up inside it."""

from dataclasses import replace

from services.identity.adapters.totp import matching_step
from services.identity.domain import factor_facts, mfa
from services.identity.domain.mfa import (
    OtpRequired,
    Proof,
    RecoveryProof,
    SecondFactors,
    TotpProof,
    TypedRecoveryCode,
    TypedTotp,
    WrongOtp,
    parse_otp,
)
from services.identity.domain.rate_limits import RateLimit, otp_limits
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.rate_limits import rate_limited
from shared.ids import UserId
from shared.journal import JournalWrite


def seal_totp(ctx: Ctx, user_id: UserId, secret: str) -> bytes:
    """Encrypt the secret of an app; it opens for this user only."""
    return ctx.sealer.seal(secret.encode(), bound_to=f"totp/{user_id}")


def totp_proof(
    ctx: Ctx, user_id: UserId, sealed: bytes, typed: TypedTotp, *, after: int
) -> TotpProof | None:
    """Return the proof that digits are, if they are a code that was not used yet."""
    secret = ctx.sealer.open(sealed, bound_to=f"totp/{user_id}").decode()
    step = matching_step(secret, typed.digits, now=ctx.clock.now(), after=after)
    return None if step is None else TotpProof(sealed, step)


def by_present_seal(ctx: Ctx, user_id: UserId, proof: TotpProof, sealed: bytes) -> TotpProof:
    """The proof of the app that is stored now, if only its seal has changed meanwhile."""
    if proof.sealed == sealed:
        return proof
    bound_to = f"totp/{user_id}"
    same = ctx.sealer.open(sealed, bound_to=bound_to) == ctx.sealer.open(
        proof.sealed, bound_to=bound_to
    )
    return replace(proof, sealed=sealed) if same else proof


async def find_proof(ctx: Ctx, user: User, otp: str | None, *, attempts: int = 0) -> Proof | None:
    """Return what proves the second factor of a user who has proved the first one.

    `None` if the user has no second factor.

    Raises:
        OtpRequired: nothing was typed.
        WrongOtp: what was typed proves nothing; the attempt counts for the user (`T8`).
        TooManyRequests, HashingBusy.
    """
    factors = await ctx.store.factors(user.id)
    if not factors.exist:
        return None
    if otp is None:
        raise OtpRequired
    async with rate_limited(ctx, *limits_of(user), counted=(WrongOtp,)):
        proof = await _proof_of(ctx, factors, otp, attempts=attempts)
        if proof is None:
            raise WrongOtp
        return proof


def limits_of(user: User) -> tuple[RateLimit, ...]:
    """Return the limits of wrong codes of a user, from everywhere together."""
    return otp_limits(user.id)


async def _proof_of(ctx: Ctx, factors: SecondFactors, otp: str, *, attempts: int) -> Proof | None:
    match parse_otp(otp):
        case TypedTotp() as typed if factors.totp is not None:
            totp = factors.totp
            return totp_proof(ctx, factors.user_id, totp.sealed, typed, after=totp.last_step)
        case TypedRecoveryCode(name=name, secret=secret):
            code = mfa.code_named(factors, name)
            # Without such a code one of the others is compared: the time names none.
            compared = code or next(iter(factors.codes), None)
            stored = None if compared is None else compared.hash
            fits = await ctx.hasher.verify(stored, secret, attempts=attempts)
            return RecoveryProof(code) if fits and code is not None else None
    return None


async def use_proof(ctx: Ctx, write: JournalWrite, user: User, proof: Proof | None) -> None:
    """Use up the proof within a write, which thereby happens once for each code.

    Raises:
        OtpRequired: the user has a factor by now, and there is no proof.
        WrongOtp: another request has used the code, or the factor was replaced.
    """
    factors = await ctx.store.factors(user.id, write.session)
    if proof is None:
        if factors.exist:
            raise OtpRequired
        return
    if isinstance(proof, TotpProof) and factors.totp is not None:
        proof = by_present_seal(ctx, user.id, proof, factors.totp.sealed)
    after = mfa.use(factors, proof)
    await ctx.store.update_factors(factors, after, write.session, rev=write.rev)
    write.record(*factor_facts.used(user, factors, after))
