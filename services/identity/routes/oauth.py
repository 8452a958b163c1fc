"""What do programs ask: keys, discovery, a token for a service client?"""

from services.identity import oauth
from services.identity.clients import Scope
from services.identity.context import Ctx
from services.identity.messages import (
    Discovery,
    TokenAnswer,
    TokenError,
    TokenForm,
    TokenResult,
)
from shared.auth.access_tokens import ACCESS_SECONDS
from shared.contracts.calls import KeySet
from shared.http import Call, Media, Public, Reply, Route, Strictness


async def key_set(ctx: Ctx, call: Call[None, None]) -> KeySet:
    """The public halves of the signing keys."""
    return KeySet(keys=ctx.keyring.key_set())


async def discovery(ctx: Ctx, call: Call[None, None]) -> Discovery:
    """Where to find what, for OAuth libraries."""
    url = ctx.settings.public_url
    return Discovery(
        issuer=url,
        jwks_uri=f"{url}/.well-known/jwks.json",
        token_endpoint=f"{url}/oauth2/token",
        grant_types_supported=(oauth.GRANT_TYPE,),
        response_types_supported=(),
        token_endpoint_auth_methods_supported=("client_secret_basic", "client_secret_post"),
        scopes_supported=tuple(Scope),
    )


async def token(ctx: Ctx, call: Call[TokenForm, None]) -> Reply:
    """An access token for a service client, or an error of the RFC's shape."""
    form = call.body
    try:
        credentials = oauth.read_credentials(
            authorization=call.headers.get("Authorization"),
            client_id=form.client_id,
            client_secret=form.client_secret,
        )
        granted = await oauth.grant_token(
            ctx, credentials, grant_type=form.grant_type, scope=form.scope
        )
    except oauth.TokenRefused as refused:
        challenge = {"WWW-Authenticate": 'Basic realm="rolecall"'} if refused.challenge else {}
        answer = TokenError(error=refused.error, error_description=refused.description)
        return Reply(body=TokenResult(answer), status=refused.status, headers=challenge)
    scope = " ".join(granted.scopes)
    return Reply(
        body=TokenResult(
            TokenAnswer(access_token=granted.access_token, expires_in=ACCESS_SECONDS, scope=scope)
        ),
        headers={"Pragma": "no-cache"},
    )


ROUTES = (
    Route(
        method="GET",
        path="/.well-known/jwks.json",
        handler=key_set,
        operation_id="getKeySet",
        summary="The keys that access tokens are verified with",
        tag="oauth",
        access=Public(),
        gives=KeySet,
    ),
    Route(
        method="GET",
        path="/.well-known/openid-configuration",
        handler=discovery,
        operation_id="getDiscovery",
        summary="Where to find what",
        tag="oauth",
        access=Public(),
        gives=Discovery,
    ),
    Route(
        method="POST",
        path="/oauth2/token",
        handler=token,
        operation_id="getToken",
        summary="An access token for a service client",
        tag="oauth",
        access=Public(),
        takes=TokenForm,
        gives=TokenResult,
        media=Media.FORM,
        strictness=Strictness.LENIENT,
    ),
)
