"""Which access token does a service client get for its secret (RFC 6749, section 4.4)?"""

from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_plus

from services.identity.clients import principal_of
from services.identity.context import Ctx
from shared.auth import client_claims
from shared.ids import ClientId, is_id

GRANT_TYPE = "client_credentials"


class TokenRefused(Exception):  # noqa: N818 - the RFC's errors are answers of their own shape
    """What section 5.2 of the RFC calls an error response; `error` is one of its codes."""

    def __init__(self, error: str, description: str, *, challenge: bool = False) -> None:
        """With `challenge` the client tried HTTP authentication, so that the answer names it."""
        super().__init__(error)
        self.error = error
        self.description = description
        self.challenge = challenge

    @property
    def status(self) -> int:
        """401 where the client is not known, else 400."""
        return 401 if self.error == "invalid_client" else 400


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a client says of itself, and whether in the header."""

    client_id: str
    secret: str
    in_header: bool


@dataclass(frozen=True, kw_only=True)
class Granted:
    """An access token and the scopes that it carries."""

    access_token: str
    scopes: tuple[str, ...]


def read_credentials(
    *, authorization: str | None, client_id: str | None, client_secret: str | None
) -> Credentials:
    """The client's credentials from the header or the form, never from both (section 2.3).

    Raises:
        TokenRefused: `invalid_request` or `invalid_client`.
    """
    if authorization is None:
        if not client_id or not client_secret:
            raise TokenRefused("invalid_client", "Send the client's id and secret.")
        return Credentials(client_id=client_id, secret=client_secret, in_header=False)
    if client_secret is not None:
        raise TokenRefused("invalid_request", "Send the secret in one place.")
    scheme, _, value = authorization.partition(" ")
    try:
        text = b64decode(value, validate=True).decode("ascii")
    except ValueError:  # not Base64, or not ASCII inside or outside of it
        text = ""
    name, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise TokenRefused("invalid_client", "The header is not HTTP Basic.", challenge=True)
    credentials = Credentials(
        client_id=unquote_plus(name), secret=unquote_plus(secret), in_header=True
    )
    if client_id not in {None, credentials.client_id}:
        raise TokenRefused("invalid_request", "Header and form name different clients.")
    return credentials


async def grant_token(
    ctx: Ctx, credentials: Credentials, *, grant_type: str | None, scope: str | None
) -> Granted:
    """An access token for a client that proves itself; without `scope` with all of its scopes.

    Raises:
        TokenRefused: with the RFC's code.
    """
    if not grant_type:
        raise TokenRefused("invalid_request", "Say grant_type.")
    client = None
    if is_id(credentials.client_id, "cli"):
        client = await ctx.store.client(ClientId(credentials.client_id))
    if client is None or not client.proves(credentials.secret):
        raise TokenRefused(
            "invalid_client",
            "The client or its secret is not known.",
            challenge=credentials.in_header,
        )
    if grant_type != GRANT_TYPE:
        raise TokenRefused("unsupported_grant_type", f"The grant_type is {GRANT_TYPE}.")
    asked = frozenset(client.scopes if scope is None else scope.split(" "))
    if not asked <= set(client.scopes):
        raise TokenRefused("invalid_scope", "The client does not have each of these scopes.")
    claims = client_claims(
        issuer=ctx.settings.public_url, client=principal_of(client, asked), now=ctx.clock.now()
    )
    return Granted(access_token=ctx.keyring.sign(claims), scopes=tuple(sorted(asked)))
