"""Introspection (RFC 7662): tell a service client what a token stands for now."""

import hmac

from rolecall.client.access_tokens import AUDIENCE
from rolecall.client.jwt import BadToken
from services.identity.domain.api_tokens import ApiToken
from services.identity.domain.introspection import ActiveToken, learns_of, require_asker
from services.identity.domain.oidc import ClientCredentials
from services.identity.domain.service_clients import ServiceClient
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.live_callers import check_live
from services.identity.use_cases.oidc import known_client
from shared.auth.account_refusals import SHUT_OUT
from shared.auth.api_tokens import digest_of, is_api_token, restriction_of, token_id_of
from shared.auth.principals import (
    ApiTokenPrincipal,
    Bearer,
    DelegatedPrincipal,
    Member,
    UserPrincipal,
)
from shared.catalog_parts import NotInThisCatalog
from shared.ids import AccountId
from shared.problems import NotFound, PermissionMissing, Refusal, TokenRevoked

_ENDED: tuple[type[Refusal], ...] = (
    TokenRevoked,
    NotFound,
    NotInThisCatalog,
    PermissionMissing,
    *SHUT_OUT.values(),
)
"""What authz refuses a caller with who may not act in an account any more."""


async def introspect(
    ctx: Ctx, credentials: ClientCredentials, *, token: str, revision: str | None
) -> ActiveToken | None:
    """Return what an access token or an API token stands for; `None` if it may not act now.

    It is the same for an unknown token, an ended one, and one of which the client may not learn.

    Raises:
        ClientInvalid, ClientNotAllowed: the client may not ask.
        Unavailable: authz cannot tell now whether the user may act in the account.
    """
    client = await known_client(ctx, credentials)
    require_asker(client)
    if is_api_token(token):
        return await _api_token(ctx, client, token, revision=revision)
    return await _access_token(ctx, client, token, revision=revision)


async def _access_token(
    ctx: Ctx, client: ServiceClient, token: str, *, revision: str | None
) -> ActiveToken | None:
    try:
        principal = await ctx.access_tokens.verify(token)
        claims = await ctx.access_tokens.read(token)
    except BadToken:
        return None
    if isinstance(principal, UserPrincipal | DelegatedPrincipal):
        account_id = principal.account_id
        known = learns_of(client, None if account_id is None else [account_id])
    else:
        account_id = None
        known = principal.client_id == client.id or learns_of(client, principal.account_ids)
    if not known or not await _acts(ctx, principal, account_id, revision=revision):
        return None
    return ActiveToken(claims=claims, account_id=account_id)


async def _api_token(
    ctx: Ctx, client: ServiceClient, secret: str, *, revision: str | None
) -> ActiveToken | None:
    token = await find_api_token(ctx, secret)
    if token is None or not learns_of(client, [token.account_id]):
        return None
    limits = token.limits
    principal = ApiTokenPrincipal(
        token_id=token.id,
        user_id=token.user_id,
        account_id=token.account_id,
        membership_id=token.membership_id,
        expires_at=token.expires_at,
        restriction=restriction_of(limits.projects, limits.grants, read_only=limits.read_only),
    )
    if not await _acts(ctx, principal, token.account_id, revision=revision):
        return None
    claims = {
        "iss": ctx.settings.public_url,
        "aud": AUDIENCE,
        "sub": token.user_id,
        "jti": token.id,
        "iat": int(token.created_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
    }
    return ActiveToken(
        claims=claims,
        account_id=token.account_id,
        membership_id=token.membership_id,
        limits=limits,
    )


async def find_api_token(ctx: Ctx, secret: str) -> ApiToken | None:
    """Return the API token with this secret, live or ended."""
    digest = digest_of(secret)
    token = await ctx.store.token_by_id(token_id_of(digest))
    if token is None or not hmac.compare_digest(token.secret_hash, digest):
        return None
    return token


async def _acts(
    ctx: Ctx,
    principal: Bearer,
    account_id: AccountId | None,
    *,
    revision: str | None,
) -> bool:
    """Whether the caller may act: here, and for authz in the account.

    authz knows memberships, and whether the account is suspended.
    """
    try:
        await check_live(ctx, principal)
        if isinstance(principal, DelegatedPrincipal):
            principal = UserPrincipal(user_id=principal.user_id, session_id=principal.session_id)
        if isinstance(principal, Member) and account_id is not None:
            await ctx.checker.check(principal, account_id, "account:view", revision=revision)
    except _ENDED:
        return False
    return True
