"""Verify the access tokens of callers with a cached copy of Rolecall's public keys."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rolecall.aio.errors import NoAnswerError, TokenExpiredError, TokenRejectedError
from rolecall.aio.transport import Transport
from rolecall.client import jwt
from rolecall.client.access_tokens import ACCESS_TYPE, TokenUser, verify_user
from rolecall.client.jwk import read_key_set
from rolecall.client.jwt import LEEWAY_SECONDS, BadToken, ExpiredToken

KEY_SET_PATH = "/.well-known/jwks.json"
REFRESH_AFTER_SECONDS = 300.0
MIN_REFRESH_PAUSE_SECONDS = 1.0
"""The keys are fetched at most once in this time, however many unknown ids arrive."""
MAX_KEY_AGE_SECONDS = 3600.0
"""While Rolecall does not answer, its last keys are trusted this long."""
MAX_CACHED_TOKENS = 10_000


class TokenKeys:
    """Verifies tokens; a verified one is kept by its text until it expires or the keys change.

    A token proves who its caller was when it was signed, at most five minutes ago. Whether the
    session has ended since then is known to Rolecall: pass `session` to `check`.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        issuer: str,
        timeout: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._transport = transport
        self._issuer = issuer
        self._timeout = timeout
        self._now = now
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._failed = False
        self._lock = asyncio.Lock()
        self._verified: dict[str, TokenUser] = {}

    async def verify(self, token: str) -> TokenUser:
        """Verify the access token of a user.

        Raises:
            TokenExpiredError: its time is over.
            TokenRejectedError: it is not a valid access token of a user.
            NoAnswerError: the keys cannot be fetched, so nothing is known about it.
        """
        now = self._now()
        if asyncio.get_running_loop().time() - self._fetched_at > REFRESH_AFTER_SECONDS:
            await self._refresh()
        known = self._verified.get(token)
        if known is not None:
            if now.timestamp() < known.expires_at + LEEWAY_SECONDS:
                return known
            del self._verified[token]
        try:
            key = await self._key(jwt.key_id(token, typ=ACCESS_TYPE))
            user = verify_user(token, key, issuer=self._issuer, now=now)
        except ExpiredToken as error:
            raise TokenExpiredError("The access token has expired.") from error
        except BadToken as error:
            raise TokenRejectedError("The access token is not valid.") from error
        if len(self._verified) >= MAX_CACHED_TOKENS:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = user
        return user

    async def _key(self, kid: str) -> Ed25519PublicKey:
        if kid not in self._keys:
            await self._refresh()
        if asyncio.get_running_loop().time() - self._fetched_at > MAX_KEY_AGE_SECONDS:
            raise NoAnswerError("The keys of Rolecall cannot be fetched.")
        key = self._keys.get(kid)
        if key is None and self._failed:
            raise NoAnswerError("It is not known whether the key of this token exists.")
        if key is None:
            raise BadToken("unknown key")
        return key

    async def _refresh(self) -> None:
        """Fetch the keys, unless that was tried a moment ago; a failure keeps the known ones."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if loop.time() - self._tried_at < self._pause():
                return
            self._tried_at = loop.time()
            self._failed = True
            try:
                answer, _ = await self._transport.send(
                    "GET", KEY_SET_PATH, until=loop.time() + self._timeout
                )
            except NoAnswerError:
                return
            match answer.status, answer.content:
                case 200, {"keys": [*jwks]}:
                    self._take(jwks)

    def _take(self, jwks: list[Mapping[str, str]]) -> None:
        try:
            keys = read_key_set(jwks)
        except (ValueError, TypeError, AttributeError):
            return
        if keys != self._keys:
            self._verified.clear()
        self._keys = keys
        self._fetched_at = self._tried_at
        self._failed = False

    def _pause(self) -> float:
        """The pause between two attempts, which is short while nothing can be verified."""
        return MIN_REFRESH_PAUSE_SECONDS if self._keys else 0.2
