"""The principal of an `Authorization` header."""

import hmac
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from rolecall.client.jwt import BadToken, ExpiredToken
from shared import context
from shared.auth.access_tokens import TokenVerifier, VerifiedToken
from shared.auth.api_token_refusals import ApiTokenIncomplete
from shared.auth.api_tokens import digest_of, is_api_token, looks_like_api_token
from shared.auth.internal_tokens import InternalVerifier
from shared.auth.principals import (
    AccessTokenPrincipal,
    AdminPrincipal,
    ApiTokenPrincipal,
    Bearer,
    ServicePrincipal,
    UserPrincipal,
)
from shared.auth.step_up import require_fresh
from shared.metrics import FORMER_KEY_USES
from shared.problems import (
    AdminKeyWrong,
    AuthorizationMalformed,
    OtherScheme,
    TokenExpired,
    TokenInvalid,
    Unauthenticated,
)
from shared.secret_keys import split_keys

_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""The form of a bearer token (RFC 6750, section 2.1)."""

FindApiToken = Callable[[str], Awaitable[ApiTokenPrincipal]]
"""Returns what an API token of this SHA-256 stands for.

It raises `ApiTokenOver` if there is none, and `Unavailable` while that cannot be known.
"""
Live = Callable[[Bearer], Awaitable[None]]
"""Refuses the caller of a genuine token whose session, client or API token does not exist any more.

It raises `TokenRevoked`, or `Unavailable` while it cannot know. No other part of the request was
looked at before.
"""


class Credential:
    """An `Authorization` header that comes again and again, with its verified token."""

    __slots__ = ("header", "verified")

    def __init__(self, header: str) -> None:
        self.header = header
        self.verified: VerifiedToken | None = None


class Authenticator:
    """Turns an `Authorization` header into a principal.

    Every method takes the header (None when it is missing). It raises `Unauthenticated` without a
    bearer token, `TokenExpired` for a genuine one whose time is over, and `TokenInvalid` for every
    other one that is not valid. It says what is wrong with the header, never with the token.
    """

    def __init__(
        self,
        *,
        tokens: TokenVerifier | None = None,
        internal: InternalVerifier | None = None,
        admin_key: SecretStr | None = None,
        live: Live | None = None,
        api_tokens: FindApiToken | None = None,
    ) -> None:
        """Make it; a kind of credential that is left out is refused."""
        self._tokens = tokens
        self._internal = internal
        self._admin_keys = () if admin_key is None else split_keys(admin_key)
        self._live = live
        self._api_tokens = api_tokens

    async def bearer(self, header: str | None) -> Bearer:
        """Return the user or service client of a token, without a database call.

        An API token with a wrong check sum is refused before it is looked up.
        """
        token = _bearer_token(header)
        if looks_like_api_token(token):
            if not is_api_token(token):
                raise ApiTokenIncomplete from BadToken("not an API token")
            if self._api_tokens is None:
                raise TokenInvalid from BadToken("no API tokens here")
            return await self._api_tokens(digest_of(token))
        if self._tokens is None:
            raise TokenInvalid
        with _refused_if_bad():
            return await self._tokens.verify(token)

    def bearer_now(self, credential: Credential) -> AccessTokenPrincipal | None:
        """Return the same at once; `None` for API tokens, and if keys must be fetched first."""
        if self._tokens is None:
            raise TokenInvalid
        verified = credential.verified
        if verified is None or not self._tokens.holds(verified):
            token = _bearer_token(credential.header)
            if looks_like_api_token(token):
                return None
            with _refused_if_bad():
                verified = credential.verified = self._tokens.verify_now(token)
        return None if verified is None else verified.principal

    async def require_live(self, principal: Bearer) -> None:
        """Check that the caller's session, client or API token still exists; see `Live`."""
        if self._live is not None:
            await self._live(principal)

    def require_fresh(self, principal: UserPrincipal) -> None:
        """Check that the user proved who they are a short time ago; see `shared.auth.step_up`."""
        if self._tokens is None:
            raise TokenInvalid
        require_fresh(principal.proved_at, now=self._tokens.now())

    def service(self, header: str | None) -> ServicePrincipal:
        """Return the calling service of the product."""
        token = _token(header)
        if self._internal is None:
            raise TokenInvalid
        with _refused_if_bad():
            return self._internal.verify(token)

    def admin(self, header: str | None) -> AdminPrincipal:
        """Return the operator, whose admin key is in the settings."""
        token = _token(header)
        found = [hmac.compare_digest(token.encode(), key.encode()) for key in self._admin_keys]
        if not any(found):
            raise AdminKeyWrong from BadToken("not the admin key")
        if not found[0]:
            FORMER_KEY_USES.labels(context.service.get(), "admin key").inc()
        return AdminPrincipal(key_id=admin_key_id(token))


def admin_key_id(key: str) -> str:
    """The name of an admin key in the audit log; the key cannot be found from it."""
    return f"admin-{hmac.digest(key.encode(), b'rolecall admin key', 'sha256').hex()[:8]}"


def _bearer_token(header: str | None) -> str:
    token = _token(header)
    if _B64TOKEN.fullmatch(token) is None:
        raise AuthorizationMalformed from BadToken("not a bearer token")
    return token


def _token(header: str | None) -> str:
    if not header:
        raise Unauthenticated from BadToken("no credential")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "bearer":
        raise OtherScheme from BadToken("another scheme")
    token = rest.lstrip(" ")  # one or more blanks (RFC 9110, section 11.4)
    if not token or not token.isascii():
        raise AuthorizationMalformed from BadToken("not a token")
    return token


@contextmanager
def _refused_if_bad() -> Iterator[None]:
    try:
        yield
    except ExpiredToken as error:
        raise TokenExpired from error
    except BadToken as error:
        raise TokenInvalid from error
