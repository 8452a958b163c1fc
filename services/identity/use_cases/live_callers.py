"""Whether the caller of a request may still act, from identity's own rows."""

from services.identity.use_cases.context import Ctx
from shared.auth.bindings import ACT_SCOPE
from shared.auth.principals import (
    ApiTokenPrincipal,
    Bearer,
    ClientPrincipal,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.problems import ApiTokenOver, TokenRevoked


async def check_live(ctx: Ctx, principal: Bearer) -> None:
    """Check that the session of a token has not ended, or that its service client exists.

    The access token of a service client must not be revoked either. One that acts for a user needs
    both, and so does each client of its chain. It ends with each token that it was made of.

    An API token was found by authz, which asks the membership too, and is checked by this row.

    Raises:
        TokenRevoked: it has, or it does not.
    """
    if isinstance(principal, ApiTokenPrincipal):
        token = await ctx.store.token(principal.token_id, principal.account_id)
        if token is None or not token.live(ctx.clock.now()):
            raise ApiTokenOver
        return
    live = True
    if not isinstance(principal, ClientPrincipal):
        session = await ctx.store.session(principal.user_id, principal.session_id)
        live = session is not None and session.active(ctx.clock.now())
    if not isinstance(principal, UserPrincipal):
        live = live and await _clients_act(ctx, principal)
    if not live:
        raise TokenRevoked


async def _clients_act(ctx: Ctx, principal: ClientPrincipal | DelegatedPrincipal) -> bool:
    """Whether every client of the caller may act, and its access token is not revoked."""
    if isinstance(principal, DelegatedPrincipal):
        client_ids, scopes = principal.client_ids, {ACT_SCOPE}
    else:
        client_ids, scopes = (principal.client_id,), set()
    for client_id in client_ids:
        client = await ctx.store.client(client_id)
        if client is None or not client.active or not scopes <= set(client.scopes):
            return False
    return await _tokens_stand(ctx, principal)


async def _tokens_stand(ctx: Ctx, principal: ClientPrincipal | DelegatedPrincipal) -> bool:
    """Whether neither the access token nor one that it was made of is revoked, nor their keys.

    The key of the token itself has verified it.
    """
    made_of = principal.made_of if isinstance(principal, DelegatedPrincipal) else ()
    for each in made_of:
        if await ctx.keyring.public.find(each.key_id) is None:
            return False
    own = [] if principal.access_token is None else [principal.access_token]
    return not await ctx.store.any_revoked([each.id for each in (*own, *made_of)])
