"""The routes of OAuth libraries: the key set, discovery, and tokens for service clients."""

from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel

from services.identity.domain.oidc import (
    GRANT_TYPES,
    ClientInvalid,
    GrantTypeUnsupported,
    ScopeNotHeld,
    TokenRequestInvalid,
    read_credentials,
)
from services.identity.domain.service_clients import ClientScope
from services.identity.domain.token_exchange import (
    ACCESS_TOKEN_TYPE,
    EXCHANGE,
    ExchangeNotAllowed,
    ExchangeRequest,
    TargetInvalid,
)
from services.identity.routes.fields import OrOmitted
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.oidc import issue_token
from services.identity.use_cases.token_exchange import exchange
from shared.contracts.calls.identity import KeySet
from shared.http.access import Public, PublicCallers
from shared.http.error_forms import ErrorForm
from shared.http.preconditions import is_known
from shared.http.problem_responses import END_OF_LINE
from shared.http.routes import Answer, Body, Call, Media, Reply, Route, Strictness

KEY_SET_MAX_AGE_SECONDS = 60
"""A verifier that only reads the key set takes a revoked key for valid this long at most."""
DOCUMENT_MAX_AGE_SECONDS = 300
AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class TokenForm(Body):
    """The form of RFC 6749, section 4.4.2, and of RFC 8693, section 2.1.

    What is missing is said by the errors of the RFCs.
    """

    grant_type: OrOmitted = None
    scope: OrOmitted = None
    client_id: OrOmitted = None
    client_secret: OrOmitted = None
    subject_token: OrOmitted = None
    subject_token_type: OrOmitted = None
    requested_token_type: OrOmitted = None
    actor_token: OrOmitted = None
    audience: OrOmitted = None
    resource: OrOmitted = None


class TokenAnswer(Answer):
    """The answer of RFC 6749, section 5.1; of an exchange, also the type of the token."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    scope: str
    issued_token_type: str | None = None


class ServerMetadata(Answer):
    """The metadata of RFC 8414 that this server has."""

    issuer: str
    token_endpoint: str
    token_endpoint_auth_methods_supported: tuple[str, ...]
    introspection_endpoint: str
    introspection_endpoint_auth_methods_supported: tuple[str, ...]
    revocation_endpoint: str
    revocation_endpoint_auth_methods_supported: tuple[str, ...]
    jwks_uri: str
    grant_types_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]
    service_documentation: str


class Discovery(ServerMetadata):
    """The same with what OpenID Connect Discovery 1.0 requires; no ID token is issued."""

    subject_types_supported: tuple[str, ...]
    id_token_signing_alg_values_supported: tuple[str, ...]


async def key_set(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Return the public halves of the signing keys."""
    keys = KeySet(keys=ctx.keyring.key_set())
    return cacheable(keys, call, max_age=KEY_SET_MAX_AGE_SECONDS)


async def server_metadata(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Return the addresses and abilities of this server for OAuth libraries."""
    return cacheable(ServerMetadata(**_metadata(ctx)), call)


async def discovery(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Return the addresses and abilities of this server for OpenID libraries."""
    found = Discovery(
        **_metadata(ctx),
        subject_types_supported=("public",),
        id_token_signing_alg_values_supported=(),
    )
    return cacheable(found, call)


async def token(ctx: Ctx, call: Call[TokenForm, None]) -> Reply:
    """Return an access token for a service client, also one to act for a user."""
    form = call.body
    credentials = read_credentials(
        authorizations=call.headers.getall("Authorization", []),
        client_id=form.client_id,
        client_secret=form.client_secret,
    )
    exchanges = form.grant_type == EXCHANGE
    if exchanges:
        issued = await exchange(ctx, credentials, _exchange_request(form))
    else:
        issued = await issue_token(ctx, credentials, grant_type=form.grant_type, scope=form.scope)
    answer = TokenAnswer(
        access_token=issued.access_token,
        expires_in=issued.expires_in,
        scope=" ".join(issued.scopes),
        issued_token_type=ACCESS_TOKEN_TYPE if exchanges else None,
    )
    content = answer.model_dump_json(exclude_none=True).encode() + END_OF_LINE
    return Reply(body=content, headers={"Pragma": "no-cache"})


def _exchange_request(form: TokenForm) -> ExchangeRequest:
    return ExchangeRequest(
        subject_token=form.subject_token,
        subject_token_type=form.subject_token_type,
        requested_token_type=form.requested_token_type,
        actor_token=form.actor_token,
        audience=form.audience,
        resource=form.resource,
        scope=form.scope,
    )


def cacheable(
    document: BaseModel, call: Call[None, None], *, max_age: int = DOCUMENT_MAX_AGE_SECONDS
) -> Reply:
    """Return a public document that caches keep for `max_age` seconds."""
    content = document.model_dump_json().encode() + END_OF_LINE
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={max_age}", "ETag": etag}
    if is_known(call.headers, etag):
        return Reply(status=304, headers=headers)
    return Reply(body=content, headers=headers)


def _metadata(ctx: Ctx) -> dict[str, Any]:
    url = ctx.settings.public_url
    return {
        "issuer": url,
        "token_endpoint": f"{url}/oauth2/token",
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "introspection_endpoint": f"{url}/oauth2/introspect",
        "introspection_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint": f"{url}/oauth2/revoke",
        "revocation_endpoint_auth_methods_supported": (*AUTH_METHODS, "none"),
        "jwks_uri": f"{url}/.well-known/jwks.json",
        "grant_types_supported": GRANT_TYPES,
        "response_types_supported": (),
        "scopes_supported": tuple(ClientScope),
        "service_documentation": f"{url}/docs",
    }


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
        method="GET",
        path="/.well-known/oauth-authorization-server",
        handler=server_metadata,
        operation_id="getServerMetadata",
        summary="The addresses and abilities of this server (RFC 8414)",
        tag="oauth",
        access=Public(),
        gives=ServerMetadata,
    ),
    Route(
        method="POST",
        path="/oauth2/token",
        handler=token,
        operation_id="getToken",
        summary="An access token for a service client",
        tag="oauth",
        access=Public(PublicCallers.CLIENTS),
        takes=TokenForm,
        gives=TokenAnswer,
        refuses=(
            TokenRequestInvalid,
            ClientInvalid,
            GrantTypeUnsupported,
            ScopeNotHeld,
            ExchangeNotAllowed,
            TargetInvalid,
        ),
        media=Media.FORM,
        strictness=Strictness.LENIENT,
        errors=ErrorForm.OAUTH,
        on_repeat="Issues another token. Answers with tokens are not kept.",
    ),
)
