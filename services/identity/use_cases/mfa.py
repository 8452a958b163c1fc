"""Second factors of the user of the request: added, listed, removed, with recovery codes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from services.identity.adapters.recovery_codes import new_recovery_codes
from services.identity.adapters.totp import enrolment_uri, new_secret
from services.identity.domain import factor_facts, mfa, sessions
from services.identity.domain.factor_take_back import take_back_of
from services.identity.domain.mfa import (
    CODE_NAME_LENGTH,
    TOTP,
    RecoveryCode,
    SecondFactors,
    TypedTotp,
    WrongOtp,
    parse_otp,
)
from services.identity.domain.rate_limits import code_set_limit
from services.identity.domain.sessions import UserSession
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from services.identity.use_cases.rate_limits import rate_limited
from services.identity.use_cases.second_factors import (
    by_present_seal,
    limits_of,
    seal_totp,
    totp_proof,
)
from services.identity.use_cases.sessions import active_session
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.problems import NotFound, TokenRevoked


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """The secret of an app, which is shown once."""

    secret: str
    uri: str


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Who changes their factors, as the transaction read them."""

    user: User
    session: UserSession
    factors: SecondFactors


async def factors_of(ctx: Ctx, principal: UserPrincipal) -> SecondFactors:
    """Return the second factors of the user of the request."""
    return await ctx.store.factors((await active_session(ctx, principal)).user.id)


async def begin_totp(ctx: Ctx, caller: Caller, principal: UserPrincipal) -> Enrolment:
    """Make the secret of an app; it counts when the app has given its first code.

    Raises:
        StepUpRequired, TokenRevoked.
    """
    secret = new_secret()

    async def change(write: JournalWrite) -> User:
        acting = await acting_user(ctx, write, principal)
        sealed = seal_totp(ctx, acting.user.id, secret)
        after = mfa.begin_totp(acting.factors, sealed, now=write.now)
        await ctx.store.update_factors(acting.factors, after, write.session, rev=write.rev)
        return acting.user

    user = (
        await ctx.journal.write(
            principal.user_id, change, caller=caller, effective_everywhere=False
        )
    ).result
    uri = enrolment_uri(secret, email=user.email, product=ctx.settings.product_name)
    return Enrolment(secret=secret, uri=uri)


async def confirm_totp(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, otp: str
) -> WriteResult[list[str]]:
    """Take an app by its first code, and return the recovery codes.

    With the first factor the user's other sessions end: each session that is left has proved one.

    Raises:
        EnrolmentMissing: no app waits for a code.
        WrongOtp: the code is wrong or was used; it counts for the user.
        TokenRevoked, TooManyRequests, HashingBusy.
    """
    user = (await active_session(ctx, principal)).user
    async with rate_limited(ctx, *limits_of(user), counted=(WrongOtp,)):
        factors, typed = await ctx.store.factors(user.id), parse_otp(otp)
        pending = mfa.pending_totp(factors, now=ctx.clock.now())
        proof = None
        if isinstance(typed, TypedTotp):
            proof = totp_proof(ctx, user.id, pending.sealed, typed, after=0)
        if proof is None:
            raise WrongOtp
        codes = new_recovery_codes()
        hashed = await hashed_codes(ctx, user, codes)

        async def change(write: JournalWrite) -> bool:
            acting = await acting_user(ctx, write, principal, proved=False)
            first = not acting.factors.exist
            waiting = acting.factors.pending or pending
            present = by_present_seal(ctx, user.id, proof, waiting.sealed)
            after = mfa.confirm_totp(acting.factors, present, hashed, now=write.now)
            if first and not await end_sessions_of(ctx, write, user.id, keep=acting.session.id):
                return False
            await ctx.store.update_factors(acting.factors, after, write.session, rev=write.rev)
            proved = replace(acting.session, proved_at=write.now)
            await ctx.store.update_session(acting.session, proved, write.session)
            link = take_back_of(acting.user, after) if first else None
            write.record(factor_facts.added(acting.user, TOTP, after, take_back=link))
            return True

        done = await write_until_done(ctx, caller, user, change)
        return WriteResult(result=codes, revision=done.revision, effective=done.effective)


async def remove_totp(ctx: Ctx, caller: Caller, principal: UserPrincipal) -> WriteResult[None]:
    """Remove the app.

    Raises:
        NotFound: there is none.
        StepUpRequired, TokenRevoked.
    """

    async def change(write: JournalWrite) -> None:
        acting = await acting_user(ctx, write, principal)
        if acting.factors.totp is None:
            raise NotFound
        after = mfa.remove_totp(acting.factors)
        await ctx.store.update_factors(acting.factors, after, write.session, rev=write.rev)
        write.record(factor_facts.removed(acting.user, TOTP, after))

    actor = caller_as(caller, (await active_session(ctx, principal)).user)
    return await ctx.journal.write(
        principal.user_id, change, caller=actor, effective_everywhere=True
    )


async def replace_recovery_codes(ctx: Ctx, caller: Caller, principal: UserPrincipal) -> list[str]:
    """Make new recovery codes; the earlier ones stop working.

    Raises:
        NoSecondFactor: the user has no second factor.
        StepUpRequired, TokenRevoked, TooManyRequests, HashingBusy.
    """
    current = await active_session(ctx, principal)
    # Before the work of hashing:
    sessions.require_proof(current.session, now=ctx.clock.now())
    mfa.replace_codes(await ctx.store.factors(current.user.id), (), now=ctx.clock.now())
    codes = new_recovery_codes()
    hashed = await hashed_codes(ctx, current.user, codes)

    async def change(write: JournalWrite) -> None:
        acting = await acting_user(ctx, write, principal)
        after = mfa.replace_codes(acting.factors, hashed, now=write.now)
        await ctx.store.update_factors(acting.factors, after, write.session, rev=write.rev)
        write.record(factor_facts.codes_replaced(acting.user))

    actor = caller_as(caller, current.user)
    await ctx.journal.write(principal.user_id, change, caller=actor, effective_everywhere=False)
    return codes


async def reset(
    ctx: Ctx, caller: Caller, user_id: UserId
) -> WriteResult[tuple[User, SecondFactors]]:
    """Remove every second factor of a user who has lost them, and forget wrong codes.

    Gives the factors that were removed. A mail tells the user of each. The password stays, and is
    then enough to sign in.

    Raises:
        NotFound: there is no such user.
    """

    async def change(write: JournalWrite) -> tuple[User, SecondFactors]:
        user = await ctx.store.user(user_id, write.session)
        if user is None:
            raise NotFound
        factors = await ctx.store.factors(user_id, write.session)
        if factors.exist or factors.pending is not None:
            after = mfa.remove_all(factors)
            await ctx.store.update_factors(factors, after, write.session, rev=write.rev)
            write.record(*factor_facts.all_removed(user, factors, after))
        return user, factors

    written = await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=True)
    limits = limits_of(written.result[0])
    await ctx.store.forget(*limits)
    for limit in limits:
        ctx.refused_senders.forget(limit)
    return written


async def acting_user(
    ctx: Ctx, write: JournalWrite, principal: UserPrincipal, *, proved: bool = True
) -> Acting:
    """Read who acts within a write, with a live session and, if asked, a fresh proof.

    Raises:
        TokenRevoked, StepUpRequired.
    """
    session = await ctx.store.session(principal.user_id, principal.session_id, write.session)
    user = await ctx.store.user(principal.user_id, write.session)
    if session is None or user is None or not session.active(write.now):
        raise TokenRevoked
    if proved:
        sessions.require_proof(session, now=write.now)
    factors = await ctx.store.factors(user.id, write.session)
    return Acting(user=user, session=session, factors=factors)


async def hashed_codes(ctx: Ctx, user: User, codes: list[str]) -> list[RecoveryCode]:
    """Hash recovery codes of a user for the database.

    Raises:
        TooManyRequests: the user has had too many sets of codes of late.
        HashingBusy.
    """
    if not codes:
        return []
    async with rate_limited(ctx, code_set_limit(user.id)) as attempts:
        secrets = [code[CODE_NAME_LENGTH:] for code in codes]
        hashes = await ctx.hasher.hash_codes(secrets, attempts=attempts)
    return [
        RecoveryCode(name=code[:CODE_NAME_LENGTH], hash=hashed)
        for code, hashed in zip(codes, hashes, strict=True)
    ]


async def write_until_done(
    ctx: Ctx, caller: Caller, user: User, change: Callable[[JournalWrite], Awaitable[bool]]
) -> WriteResult[bool]:
    """Write until `change` is done: of very many sessions the first ones end in own writes."""
    while True:
        done = await ctx.journal.write(
            user.id, change, caller=caller_as(caller, user), effective_everywhere=True
        )
        if done.result:
            return done
