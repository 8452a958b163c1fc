"""The end of what opens a user's accounts besides the password."""

from dataclasses import dataclass

from services.identity.domain import api_tokens, identities
from services.identity.domain.api_tokens import MAX_LIVE_TOKENS, TokenEnd
from services.identity.domain.other_access import EndAccess, OtherAccess, to_end
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from shared.contracts.identity_access import AccessBesidePassword
from shared.ids import UserId
from shared.journal import JournalWrite
from shared.mongo import DbSession

MAX_FOUND = 1_000


@dataclass(frozen=True, kw_only=True)
class EndedAccess:
    """What a write has ended and left; `whole` if it has ended all that it should."""

    tokens: int
    whole: bool
    ended: AccessBesidePassword
    left: AccessBesidePassword


async def find_other_access(
    ctx: Ctx, user_id: UserId, session: DbSession | None = None
) -> OtherAccess:
    """Find the live API tokens and the linked identities of a user."""
    tokens = await ctx.store.live_tokens_of(user_id, session, now=ctx.clock.now(), limit=MAX_FOUND)
    linked = await ctx.store.identities_of(user_id, session)
    return OtherAccess(tokens=tuple(tokens), identities=tuple(linked))


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
    found = await find_other_access(ctx, user.id, write.session)
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
        left=left.described(factors=factors.kinds),
    )
