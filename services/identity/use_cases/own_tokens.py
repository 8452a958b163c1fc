"""The API tokens that a user has made, in every account; the user may always revoke them (Ci10)."""

from services.identity.domain.api_tokens import ApiToken
from services.identity.domain.users import caller_as
from services.identity.use_cases.api_tokens import revoke_now
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import require_session
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import TokenId
from shared.journal import JournalWrite, WriteResult
from shared.problems import NotFound, TokenRevoked


async def page(
    ctx: Ctx, principal: UserPrincipal, *, before: str | None, limit: int
) -> list[ApiToken]:
    """The tokens that the user has made, live or ended lately: the newest first."""
    return await ctx.store.tokens_page(None, user_id=principal.user_id, before=before, limit=limit)


async def revoke(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, token_id: TokenId
) -> WriteResult[None]:
    """Revoke a token of the user, also in a suspended account, or one that they have left.

    A repeat waits until the end is in force.

    Raises:
        NotFound: the user has made no such token.
        TokenRevoked: the session of the request has ended.
    """
    user = await ctx.store.user(principal.user_id)
    if user is None:
        raise TokenRevoked

    async def change(write: JournalWrite) -> None:
        await require_session(ctx, write, principal)
        token = await ctx.store.token_by_id(token_id, write.session)
        if token is None or token.user_id != principal.user_id:
            raise NotFound
        await revoke_now(ctx, write, token, user)

    return await ctx.journal.write(
        user.id, change, caller=caller_as(caller, user), effective_everywhere=True
    )
