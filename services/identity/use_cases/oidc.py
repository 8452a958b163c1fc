"""The token endpoint: a service client gets an access token for its secret."""

from services.identity.domain.oidc import (
    ClientCredentials,
    IssuedToken,
    authenticate_client,
    granted_scopes,
    require_grant_type,
)
from services.identity.domain.service_clients import ServiceClient, principal_of
from services.identity.use_cases.context import Ctx
from shared.auth.access_tokens import client_claims
from shared.ids import ClientId, is_id


async def issue_token(
    ctx: Ctx, credentials: ClientCredentials, *, grant_type: str | None, scope: str | None
) -> IssuedToken:
    """Issue an access token to a service client (RFC 6749, section 4.4).

    Raises:
        TokenRequestInvalid, ClientInvalid, GrantTypeUnsupported, ScopeNotHeld: see the domain.
    """
    grant_type = require_grant_type(grant_type)
    client = await known_client(ctx, credentials)
    scopes = granted_scopes(client, grant_type=grant_type, scope=scope)
    claims = client_claims(
        issuer=ctx.settings.public_url, client=principal_of(client, scopes), now=ctx.clock.now()
    )
    return IssuedToken(access_token=ctx.keyring.sign(claims), scopes=tuple(sorted(scopes)))


async def known_client(ctx: Ctx, credentials: ClientCredentials) -> ServiceClient:
    """Return the service client that these credentials belong to.

    Raises:
        ClientInvalid: there is none.
    """
    found = None
    if is_id(credentials.client_id, "cli"):
        found = await ctx.store.client(ClientId(credentials.client_id))
    return authenticate_client(found, credentials, now=ctx.clock.now())
