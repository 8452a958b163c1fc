"""Token exchange (RFC 8693): a service client gets a token to act for a user."""

from rolecall.client.access_tokens import AUDIENCE
from rolecall.client.jwt import BadToken
from services.identity.domain.oidc import ClientCredentials, IssuedToken
from services.identity.domain.token_exchange import (
    SCOPE,
    ExchangeRequest,
    SubjectInvalid,
    delegated,
    subject_token_of,
)
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.live_callers import check_live
from services.identity.use_cases.oidc import known_client
from shared.auth.access_tokens import delegated_claims
from shared.problems import TokenRevoked


async def exchange(
    ctx: Ctx, credentials: ClientCredentials, request: ExchangeRequest
) -> IssuedToken:
    """Issue a token by which a service client acts for the user of another token.

    It ends with that token at the latest, with the session, and with each client of its chain.

    Raises:
        ClientInvalid, ExchangeNotAllowed, TokenRequestInvalid, TargetInvalid, ScopeNotHeld: see
            the domain.
        Unavailable: the keys cannot be known now.
    """
    client = await known_client(ctx, credentials)
    url = ctx.settings.public_url
    token = subject_token_of(client, request, audiences=(AUDIENCE, url))
    try:
        subject = await ctx.access_tokens.verify(token)
        claims = await ctx.access_tokens.read(token)
        principal = delegated(client, subject)
        await check_live(ctx, subject)
    except (BadToken, TokenRevoked) as error:
        raise SubjectInvalid from error
    now = ctx.clock.now()
    issued = delegated_claims(
        issuer=url, principal=principal, scope=SCOPE, now=now, until=claims["exp"]
    )
    return IssuedToken(
        access_token=ctx.keyring.sign(issued),
        scopes=(SCOPE,),
        expires_in=issued["exp"] - issued["iat"],
    )
