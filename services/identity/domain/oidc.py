"""The token endpoint: which request of a service client gets a token (RFC 6749, section 4.4)."""

from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_plus

from services.identity.domain.service_clients import ServiceClient

GRANT_TYPE = "client_credentials"


class TokenRefused(Exception):  # noqa: N818 - the RFC's errors are answers with their own shape
    """An error response of RFC 6749, section 5.2; `error` is one of its codes."""

    def __init__(self, error: str, description: str, *, challenge: bool = False) -> None:
        """With `challenge` the client used HTTP authentication, and the answer names the scheme."""
        super().__init__(error)
        self.error = error
        self.description = description
        self.challenge = challenge

    @property
    def status(self) -> int:
        """401 for a client that is not authenticated, else 400."""
        return 401 if self.error == "invalid_client" else 400


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """The id and secret that a client sent; `in_header` says that it used HTTP Basic."""

    client_id: str
    secret: str
    in_header: bool


@dataclass(frozen=True, kw_only=True)
class IssuedToken:
    """An access token and its scopes."""

    access_token: str
    scopes: tuple[str, ...]


def read_credentials(
    *, authorization: str | None, client_id: str | None, client_secret: str | None
) -> ClientCredentials:
    """Read the client's credentials from the header or the form (RFC 6749, section 2.3).

    Raises:
        TokenRefused: `invalid_client` if there are none that can be read, `invalid_request` if
            they are in both places.
    """
    if authorization is None:
        if not client_id or not client_secret:
            raise TokenRefused(
                "invalid_client", "Send the client's id and secret, by HTTP Basic or in the form."
            )
        return ClientCredentials(client_id=client_id, secret=client_secret, in_header=False)
    if client_secret is not None:
        raise TokenRefused(
            "invalid_request", "Send the secret in the Authorization header or in the form, once."
        )
    scheme, _, value = authorization.partition(" ")
    try:
        text = b64decode(value, validate=True).decode("ascii")
    except ValueError:  # not Base64, or not ASCII inside or outside of it
        text = ""
    name, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise TokenRefused(
            "invalid_client",
            "The Authorization header is not valid HTTP Basic authentication.",
            challenge=True,
        )
    credentials = ClientCredentials(
        client_id=unquote_plus(name), secret=unquote_plus(secret), in_header=True
    )
    if client_id not in {None, credentials.client_id}:
        raise TokenRefused(
            "invalid_request", "The header and the form name different clients. Send one client_id."
        )
    return credentials


def require_grant_type(grant_type: str | None) -> str:
    """Return the grant type of a request.

    Raises:
        TokenRefused: `invalid_request` if it is missing.
    """
    if not grant_type:
        raise TokenRefused(
            "invalid_request", f"The parameter grant_type is missing. Send {GRANT_TYPE}."
        )
    return grant_type


def authenticate_client(
    client: ServiceClient | None, credentials: ClientCredentials
) -> ServiceClient:
    """Return the client that these credentials belong to.

    Raises:
        TokenRefused: `invalid_client`, the same for an unknown client and for a wrong secret.
    """
    if client is None or not client.has_secret(credentials.secret):
        raise TokenRefused(
            "invalid_client",
            "The client id or the client secret is wrong.",
            challenge=credentials.in_header,
        )
    return client


def granted_scopes(client: ServiceClient, *, grant_type: str, scope: str | None) -> frozenset[str]:
    """Return the scopes of the token; a request without `scope` gets all of the client's.

    Raises:
        TokenRefused: `unsupported_grant_type` or `invalid_scope`.
    """
    if grant_type != GRANT_TYPE:
        raise TokenRefused(
            "unsupported_grant_type", f"This grant_type is not supported. Send {GRANT_TYPE}."
        )
    requested = frozenset(client.scopes if scope is None else scope.split(" "))
    if not requested <= set(client.scopes):
        raise TokenRefused(
            "invalid_scope",
            "The client does not have all of these scopes. Leave scope out to get all that it has.",
        )
    return requested
