"""Whether the caller of a request may still act, from identity's own rows."""

from services.identity.use_cases.context import Ctx
from shared.auth.principals import ApiTokenPrincipal, Bearer, UserPrincipal
from shared.problems import ApiTokenOver, TokenRevoked


async def check_live(ctx: Ctx, principal: Bearer) -> None:
    """Check that the session of a token has not ended, or that its service client exists.

    The access token of a service client must not be revoked either.

    An API token was found by authz, which asks the membership too, and is checked by this row.

    Raises:
        TokenRevoked: it has, or it does not.
    """
    if isinstance(principal, ApiTokenPrincipal):
        token = await ctx.store.token(principal.token_id, principal.account_id)
        if token is None or not token.live(ctx.clock.now()):
            raise ApiTokenOver
        return
    if isinstance(principal, UserPrincipal):
        session = await ctx.store.session(principal.user_id, principal.session_id)
        live = session is not None and session.active(ctx.clock.now())
    else:
        access_token = principal.access_token
        client = await ctx.store.client(principal.client_id)
        acts = client is not None and client.active
        live = acts and (access_token is None or not await ctx.store.is_revoked(access_token.id))
    if not live:
        raise TokenRevoked
