"""The token endpoint: which request of a service client gets a token (RFC 6749, section 4.4)."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus

from rolecall.client.access_tokens import ACCESS_SECONDS
from services.identity.domain.service_clients import ServiceClient
from shared.problems import Refusal, RefusalKind

GRANT_TYPE = "client_credentials"
GRANT_TYPES = (GRANT_TYPE, "urn:ietf:params:oauth:grant-type:token-exchange")


class TokenRequestInvalid(Refusal):
    """The error `invalid_request`: a parameter is missing, or is sent twice in different places."""

    kind = RefusalKind.MALFORMED
    code = "invalid-request"
    detail = "{reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class ClientInvalid(Refusal):
    """The error `invalid_client`, the same for an unknown client and for a wrong secret."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "invalid-client"
    detail = (
        "The client is not authenticated. Send its id and secret, both right,"
        " by HTTP Basic or in the form."
    )


class ClientMissing(ClientInvalid):
    """The request has no id and secret."""

    detail = (
        "The request has no id and secret of a client. Send them by HTTP Basic,"
        " or in the form as client_id and client_secret."
    )


class ClientHeaderMalformed(ClientInvalid):
    """The `Authorization` header has another scheme, or no id and secret that can be read."""

    detail = (
        "The Authorization header is not HTTP Basic. Send `Basic` and the Base64 of"
        " `<id>:<secret>`, or send client_id and client_secret in the form."
    )


class GrantTypeUnsupported(Refusal):
    """The error `unsupported_grant_type`."""

    kind = RefusalKind.MALFORMED
    code = "unsupported-grant-type"
    detail = f"This grant_type is not supported. Send {' or '.join(GRANT_TYPES)}."


class ScopeNotHeld(Refusal):
    """The error `invalid_scope`: the client does not have a scope that it asks for."""

    kind = RefusalKind.MALFORMED
    code = "invalid-scope"
    detail = "The client does not have all of these scopes. Leave scope out to get all that it has."


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """The id and secret that a client sent."""

    client_id: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class IssuedToken:
    """An access token and its scopes."""

    access_token: str
    scopes: tuple[str, ...]
    expires_in: int = ACCESS_SECONDS


def read_credentials(
    *, authorizations: Sequence[str], client_id: str | None, client_secret: str | None
) -> ClientCredentials:
    """Read the client's credentials from the header or the form (RFC 6749, section 2.3).

    Raises:
        ClientInvalid: there are none that can be read.
        TokenRequestInvalid: there are several.
    """
    if not authorizations:
        if not client_id or not client_secret:
            raise ClientMissing
        return ClientCredentials(client_id=client_id, secret=client_secret)
    if len(authorizations) > 1:
        raise TokenRequestInvalid("Send one Authorization header.")
    if client_secret is not None:
        raise TokenRequestInvalid("Send the secret in the Authorization header or in the form.")
    scheme, _, value = authorizations[0].partition(" ")
    try:
        text = b64decode(value.lstrip(" "), validate=True).decode("ascii")
    except ValueError:  # not Base64, or not ASCII inside or outside of it
        text = ""
    name, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise ClientHeaderMalformed
    credentials = ClientCredentials(client_id=unquote_plus(name), secret=unquote_plus(secret))
    if client_id not in {None, credentials.client_id}:
        raise TokenRequestInvalid("The header and the form name different clients. Send one.")
    return credentials


def require_grant_type(grant_type: str | None) -> str:
    """Return the grant type of a request.

    Raises:
        TokenRequestInvalid: it is missing.
    """
    if not grant_type:
        raise TokenRequestInvalid(f"The parameter grant_type is missing. Send {GRANT_TYPE}.")
    return grant_type


def authenticate_client(
    client: ServiceClient | None, credentials: ClientCredentials, *, now: datetime
) -> ServiceClient:
    """Return the client that these credentials belong to.

    Raises:
        ClientInvalid: it does not exist or may not act, or the secret is not its own.
    """
    if client is None or not client.has_secret(credentials.secret, now=now):
        raise ClientInvalid
    return client


def granted_scopes(client: ServiceClient, *, grant_type: str, scope: str | None) -> frozenset[str]:
    """Return the scopes of the token; a request without `scope` gets all of the client's.

    Raises:
        GrantTypeUnsupported, ScopeNotHeld.
    """
    if grant_type != GRANT_TYPE:
        raise GrantTypeUnsupported
    requested = frozenset(client.scopes if scope is None else scope.split(" "))
    if not requested <= set(client.scopes):
        raise ScopeNotHeld
    return requested
