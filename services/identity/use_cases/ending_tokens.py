"""The end of every API token of a user."""

from services.identity.domain import api_tokens
from services.identity.domain.api_tokens import MAX_LIVE_TOKENS, TokenEnd
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from shared.journal import JournalWrite


async def revoke_tokens_of(ctx: Ctx, write: JournalWrite, user: User, *, because: TokenEnd) -> bool:
    """Revoke the live tokens of a user, within a write; whether there are no more of them."""
    found = await ctx.store.live_tokens_of(
        user.id, write.session, now=write.now, limit=MAX_LIVE_TOKENS + 1
    )
    for token in found[:MAX_LIVE_TOKENS]:
        revoked, fact = api_tokens.revoke(
            token, user, because=because, now=write.now, rev=write.rev
        )
        await ctx.store.update_token(token, revoked, write.session)
        write.record(fact)
    return len(found) <= MAX_LIVE_TOKENS
