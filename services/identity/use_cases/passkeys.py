"""Passkeys of the user of the request: added, listed, renamed, removed; and sign-in with one."""

from dataclasses import dataclass, replace
from typing import Any

from services.identity.adapters.recovery_codes import new_recovery_codes
from services.identity.adapters.relying_party import Credential
from services.identity.domain import factor_facts, mfa, passkeys
from services.identity.domain.disabled_users import SignInDisabled
from services.identity.domain.factor_take_back import take_back_of
from services.identity.domain.identities import require_sign_in
from services.identity.domain.passkeys import (
    PASSKEY,
    Passkey,
    PasskeyChallenge,
    PasskeyChallengeOver,
    PasskeyProof,
    PasskeyRefused,
)
from services.identity.domain.rate_limits import SIGN_IN_WINDOW, RateLimit, passkey_limit
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from services.identity.use_cases.mfa import acting_user, hashed_codes, write_until_done
from services.identity.use_cases.rate_limits import rate_limited
from services.identity.use_cases.second_factors import use_proof
from services.identity.use_cases.sessions import SignedIn, active_session, new_session
from services.identity.use_cases.sign_in import save_session
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere
from shared.names import parse_name
from shared.networks import network_of
from shared.problems import Invalid


@dataclass(frozen=True, kw_only=True)
class BegunCeremony:
    """What the caller sends back with the answer, and the options for the browser."""

    challenge: str
    options: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AddedPasskey:
    """A new passkey; with the first factor there are recovery codes, which are shown once."""

    passkey: Passkey
    recovery_codes: list[str]


@dataclass(frozen=True, kw_only=True)
class PasskeyAnswer:
    """The answer of an authenticator to a challenge."""

    challenge: str
    credential: Credential


async def begin_adding(ctx: Ctx, principal: UserPrincipal) -> BegunCeremony:
    """Begin to add a passkey, in the session of the request.

    Raises:
        TooManyPasskeys, TokenRevoked.
    """
    current = await active_session(ctx, principal)
    known = (await ctx.store.factors(current.user.id)).passkeys
    passkeys.require_room(known)
    challenge = PasskeyChallenge(
        challenge=ctx.relying_party.new_challenge(),
        begun_at=ctx.clock.now(),
        user_id=principal.user_id,
        session_id=principal.session_id,
    )
    options = ctx.relying_party.creation_options(current.user, known, challenge=challenge.challenge)
    return BegunCeremony(challenge=ctx.sealed_challenges.seal(challenge), options=options)


async def add(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, answer: PasskeyAnswer, *, name: str
) -> WriteResult[AddedPasskey]:
    """Add the passkey that an authenticator has made.

    With the first factor the user's other sessions end: each session that is left has proved one.

    Raises:
        Invalid: the name cannot be one.
        PasskeyChallengeOver, PasskeyRefused: they count for the user.
        PasskeyKnown, TooManyPasskeys.
        StepUpRequired, TokenRevoked, TooManyRequests, HashingBusy.
    """
    shown = _parse_name(name)
    user = (await active_session(ctx, principal)).user
    passkey = await _made(ctx, principal, answer, name=shown)
    factors = await ctx.store.factors(user.id)
    codes = [] if factors.exist else new_recovery_codes()
    hashed = await hashed_codes(ctx, user, codes)

    async def change(write: JournalWrite) -> bool:
        acting = await acting_user(ctx, write, principal)
        after = mfa.add_passkey(acting.factors, passkey, hashed)
        first = not acting.factors.exist
        if first and not await end_sessions_of(ctx, write, user.id, keep=acting.session.id):
            return False
        await ctx.store.update_factors(acting.factors, after, write.session, rev=write.rev)
        if first:
            proved = replace(acting.session, proved_at=write.now)
            await ctx.store.update_session(acting.session, proved, write.session)
        link = take_back_of(acting.user, after) if first else None
        write.record(factor_facts.added(acting.user, PASSKEY, after, take_back=link))
        return True

    done = await write_until_done(ctx, caller, user, change)
    added = AddedPasskey(passkey=passkey, recovery_codes=codes)
    return WriteResult(result=added, revision=done.revision, effective=done.effective)


async def _made(ctx: Ctx, principal: UserPrincipal, answer: PasskeyAnswer, *, name: str) -> Passkey:
    """Use a challenge up, and return the passkey that an authenticator has made for it."""
    counted = (PasskeyChallengeOver, PasskeyRefused)
    async with rate_limited(ctx, passkey_limit(principal.user_id), counted=counted):
        opened = passkeys.check_challenge(
            ctx.sealed_challenges.open(answer.challenge),
            now=ctx.clock.now(),
            user_id=principal.user_id,
            session_id=principal.session_id,
        )
        made = ctx.relying_party.new_passkey(
            answer.credential, challenge=opened.challenge, name=name, now=ctx.clock.now()
        )
        await _use_up(ctx, opened)
        return made


async def rename(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, passkey_id: str, name: str
) -> Passkey:
    """Give a passkey another name.

    Raises:
        Invalid: the name cannot be one.
        NotFound: the user has no such passkey.
        TokenRevoked.
    """
    shown = _parse_name(name)

    async def change(write: JournalWrite) -> Passkey:
        acting = await acting_user(ctx, write, principal, proved=False)
        after = passkeys.renamed(acting.factors.passkeys, passkey_id, shown)
        changed = replace(acting.factors, passkeys=after)
        await ctx.store.update_factors(acting.factors, changed, write.session, rev=write.rev)
        return next(one for one in after if one.passkey_id == passkey_id)

    written = await ctx.journal.write(
        principal.user_id, change, caller=caller, effective_everywhere=False
    )
    return written.result


async def remove(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, passkey_id: str
) -> WriteResult[None]:
    """Remove a passkey.

    Raises:
        NotFound: the user has no such passkey.
        LastSignIn: the user could not sign in any more.
        StepUpRequired, TokenRevoked.
    """

    async def change(write: JournalWrite) -> None:
        acting = await acting_user(ctx, write, principal)
        after = mfa.remove_passkey(acting.factors, passkey_id)
        linked = await ctx.store.identities_of(acting.user.id, write.session)
        require_sign_in(acting.user, linked, has_passkey=bool(after.passkeys))
        await ctx.store.update_factors(acting.factors, after, write.session, rev=write.rev)
        write.record(factor_facts.removed(acting.user, PASSKEY, after))

    actor = caller_as(caller, (await active_session(ctx, principal)).user)
    return await ctx.journal.write(
        principal.user_id, change, caller=actor, effective_everywhere=True
    )


async def begin_proof(ctx: Ctx) -> BegunCeremony:
    """Begin a proof by a passkey, for a sign-in or a step-up; it is the same for every caller."""
    challenge = PasskeyChallenge(
        challenge=ctx.relying_party.new_challenge(), begun_at=ctx.clock.now()
    )
    options = ctx.relying_party.request_options(challenge=challenge.challenge)
    return BegunCeremony(challenge=ctx.sealed_challenges.seal(challenge), options=options)


async def log_in(ctx: Ctx, caller: Caller, answer: PasskeyAnswer) -> SignedIn:
    """Sign in with a passkey alone: it is two factors.

    Raises:
        PasskeyChallengeOver, PasskeyRefused: they count for the network of the sender.
        SignInDisabled: the operator has disabled the user.
        TooManyRequests.
    """
    limit = RateLimit(
        key=("passkey-logins", network_of(caller.request.ip)),
        limit=ctx.settings.logins_per_ip,
        window=SIGN_IN_WINDOW,
    )
    async with rate_limited(ctx, limit, counted=(PasskeyChallengeOver, PasskeyRefused)):
        user, proof = await prove(ctx, caller, answer)
        session = new_session(ctx, caller, user)

        async def change(write: JournalWrite) -> User:
            current = await ctx.store.user(user.id, write.session)
            if current is None:
                raise PasskeyRefused
            if current.disabled_at is not None:
                raise SignInDisabled
            await use_proof(ctx, write, current, proof)
            await save_session(ctx, write, caller, current, session)
            return current

        actor = caller_as(caller, user, session_id=session.id)
        written = await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)
        return SignedIn(user=written.result, session=session)


async def prove(ctx: Ctx, caller: Caller, answer: PasskeyAnswer) -> tuple[User, PasskeyProof]:
    """Say whose passkey has signed the challenge, which is thereby used up.

    Raises:
        PasskeyChallengeOver: the challenge is forged, used or too old.
        PasskeyRefused: the signature is wrong or of no passkey of a user, or its counter went back,
            of which the user is told.
    """
    opened = passkeys.check_challenge(
        ctx.sealed_challenges.open(answer.challenge), now=ctx.clock.now()
    )
    claimed = ctx.relying_party.claimed(answer.credential)
    factors = await ctx.store.factors(claimed.user_id)
    user = await ctx.store.user(claimed.user_id)
    passkey = passkeys.find(factors.passkeys, claimed.passkey_id)
    if user is None or passkey is None:
        raise PasskeyRefused
    count = ctx.relying_party.sign_count(answer.credential, passkey, challenge=opened.challenge)
    await _use_up(ctx, opened)
    if passkeys.counter_went_back(passkey, count):
        actor = caller_as(caller, user)
        await ctx.journal.refused(user.id, passkeys.copy_suspected(user, passkey), caller=actor)
        raise PasskeyRefused
    return user, PasskeyProof(passkey, count, ctx.clock.now())


async def _use_up(ctx: Ctx, challenge: PasskeyChallenge) -> None:
    """Use a challenge up: of two answers at the same moment one goes on."""
    try:
        await ctx.store.use_sign_in(challenge)
    except AlreadyThere:
        raise PasskeyChallengeOver from None


def _parse_name(text: str) -> str:
    try:
        return parse_name(text)
    except ValueError as fault:
        raise Invalid(errors=[("/name", str(fault))]) from None
