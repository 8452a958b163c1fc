"""The end of what opens a user's accounts besides the password."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.identity.domain import api_tokens, identities
from services.identity.domain.api_tokens import MAX_LIVE_TOKENS, TokenEnd
from services.identity.domain.identities import LinkedIdentity
from services.identity.domain.other_access import (
    MAX_NAMES,
    AccessToEnd,
    EndAccess,
    OtherAccess,
    access_to_end,
    to_end,
    tokens_since,
)
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from shared.contracts.identity_access import AccessBesidePassword
from shared.journal import JournalWrite


@dataclass(frozen=True, kw_only=True)
class EndedAccess:
    """What a write has ended and left; `whole` if it has ended all that it should."""

    tokens: int
    whole: bool
    ended: AccessBesidePassword
    left: AccessBesidePassword


async def count_other_access(ctx: Ctx, user: User, *, now: datetime) -> AccessToEnd:
    """Count what a reset of the password can end."""
    linked = await ctx.store.identities_of(user.id, None)
    recent = tokens_since(EndAccess.RECENT, now=now)
    return access_to_end(
        tuple(linked),
        tokens=await ctx.store.count_live_tokens_of(user.id, None, now=now),
        recent_tokens=await ctx.store.count_live_tokens_of(user.id, None, now=now, since=recent),
        had_password=user.password_hash is not None,
        now=now,
    )


async def end_other_access(
    ctx: Ctx,
    write: JournalWrite,
    user: User,
    choice: EndAccess,
    *,
    had_password: bool,
    ended_before: int = 0,
    because: TokenEnd = TokenEnd.PASSWORD_RESET,
) -> EndedAccess:
    """End what was chosen, within a write that gives the user a password.

    A write ends a bounded number of tokens, and the others when it runs again; then `ended_before`
    counts those that have ended already.

    Raises:
        LastSignIn: the user could not sign in any more.
    """
    since = tokens_since(choice, now=write.now)
    tokens = await ctx.store.live_tokens_of(
        user.id, write.session, now=write.now, since=since, limit=MAX_LIVE_TOKENS + 1
    )
    linked = await ctx.store.identities_of(user.id, write.session)
    found = OtherAccess(tokens=tuple(tokens), identities=tuple(linked))
    chosen = to_end(found, choice, had_password=had_password, now=write.now)
    whole = len(chosen.tokens) <= MAX_LIVE_TOKENS
    now = OtherAccess(
        tokens=chosen.tokens[:MAX_LIVE_TOKENS], identities=chosen.identities if whole else ()
    )
    left = found.without(now)
    factors = await ctx.store.factors(user.id, write.session)
    for token in now.tokens:
        revoked, fact = api_tokens.revoke(
            token, user, because=because, now=write.now, rev=write.rev
        )
        await ctx.store.update_token(token, revoked, write.session)
        write.record(fact)
    for identity in now.identities:
        fact = identities.unlink(
            user, identity, left.identities, has_passkey=bool(factors.passkeys)
        )
        await ctx.store.delete_identity(identity, write.session)
        write.record(fact)
    return EndedAccess(
        tokens=len(now.tokens),
        whole=whole,
        ended=now.described(more_tokens=ended_before),
        left=await _described(ctx, write, user, left.identities, factors.kinds),
    )


async def _described(
    ctx: Ctx,
    write: JournalWrite,
    user: User,
    linked: tuple[LinkedIdentity, ...],
    factors: Collection[str],
) -> AccessBesidePassword:
    """Describe what is left, after the write has ended the rest."""
    count = await ctx.store.count_live_tokens_of(user.id, write.session, now=write.now)
    named = await ctx.store.live_tokens_of(user.id, write.session, now=write.now, limit=MAX_NAMES)
    left = OtherAccess(tokens=tuple(named), identities=linked)
    return left.described(more_tokens=count - len(named), factors=factors)
