"""The routes of OAuth libraries: the key set, discovery, and tokens for service clients."""

from typing import Literal

from pydantic import RootModel

from services.identity.domain.oidc import GRANT_TYPE, TokenRefused, read_credentials
from services.identity.domain.service_clients import ClientScope
from services.identity.routes.fields import OrOmitted
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.oidc import issue_token
from shared.auth.lifetimes import ACCESS_SECONDS
from shared.contracts.calls.identity import KeySet
from shared.http.access import Public
from shared.http.routes import Answer, Body, Call, Media, Reply, Route, Strictness


class TokenForm(Body):
    """The form of RFC 6749, section 4.4.2; what is missing is said by the RFC's own errors."""

    grant_type: OrOmitted = None
    scope: OrOmitted = None
    client_id: OrOmitted = None
    client_secret: OrOmitted = None


class TokenAnswer(Answer):
    """The answer of RFC 6749, section 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    scope: str


class TokenError(Answer):
    """The error of RFC 6749, section 5.2."""

    error: str
    error_description: str


class TokenResult(RootModel[TokenAnswer | TokenError]):
    """A token, or the reason why there is none."""


class Discovery(Answer):
    """The fields of OpenID Connect Discovery 1.0 that apply to this server."""

    issuer: str
    jwks_uri: str
    token_endpoint: str
    grant_types_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]


async def key_set(ctx: Ctx, call: Call[None, None]) -> KeySet:
    """Return the public halves of the signing keys."""
    return KeySet(keys=ctx.keyring.key_set())


async def discovery(ctx: Ctx, call: Call[None, None]) -> Discovery:
    """Return the addresses and abilities of this server for OAuth libraries."""
    url = ctx.settings.public_url
    return Discovery(
        issuer=url,
        jwks_uri=f"{url}/.well-known/jwks.json",
        token_endpoint=f"{url}/oauth2/token",
        grant_types_supported=(GRANT_TYPE,),
        response_types_supported=(),
        token_endpoint_auth_methods_supported=("client_secret_basic", "client_secret_post"),
        scopes_supported=tuple(ClientScope),
    )


async def token(ctx: Ctx, call: Call[TokenForm, None]) -> Reply:
    """Return an access token for a service client, or an error in the RFC's shape."""
    form = call.body
    try:
        credentials = read_credentials(
            authorization=call.headers.get("Authorization"),
            client_id=form.client_id,
            client_secret=form.client_secret,
        )
        issued = await issue_token(ctx, credentials, grant_type=form.grant_type, scope=form.scope)
    except TokenRefused as refused:
        challenge = {"WWW-Authenticate": 'Basic realm="rolecall"'} if refused.challenge else {}
        error = TokenError(error=refused.error, error_description=refused.description)
        return Reply(body=TokenResult(error), status=refused.status, headers=challenge)
    answer = TokenAnswer(
        access_token=issued.access_token, expires_in=ACCESS_SECONDS, scope=" ".join(issued.scopes)
    )
    return Reply(body=TokenResult(answer), headers={"Pragma": "no-cache"})


ROUTES = (
    Route(
        method="GET",
        path="/.well-known/jwks.json",
        handler=key_set,
        operation_id="getKeySet",
        summary="The keys that verify access tokens",
        tag="oauth",
        access=Public(),
        gives=KeySet,
    ),
    Route(
        method="GET",
        path="/.well-known/openid-configuration",
        handler=discovery,
        operation_id="getDiscovery",
        summary="The addresses and abilities of this server",
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
        access=Public(for_clients=True),
        takes=TokenForm,
        gives=TokenResult,
        media=Media.FORM,
        strictness=Strictness.LENIENT,
    ),
)
