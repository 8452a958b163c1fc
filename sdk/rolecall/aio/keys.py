"""Verify the access tokens of callers with a cached copy of Rolecall's public keys."""

import asyncio
import re
from collections.abc import Callable, Container, Mapping
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rolecall.aio.errors import NoAnswerError, TokenExpiredError, TokenRejectedError
from rolecall.aio.transport import Transport
from rolecall.client import jwt
from rolecall.client.access_tokens import ACCESS_TYPE, TokenUser, verify_user
from rolecall.client.jwk import read_key_set
from rolecall.client.jwt import LEEWAY_SECONDS, BadToken, ExpiredToken

KEY_SET_PATH = "/.well-known/jwks.json"
MAX_FRESH_SECONDS = 60.0
"""The keys are fetched again after this time, or sooner if `Cache-Control` of the answer says so.

A revoked key is taken for valid that long at most by a process that follows no policy stream."""
MIN_REFRESH_PAUSE_SECONDS = 1.0
"""The keys are fetched at most once in this time, however many unknown ids arrive."""
REFRESH_WAIT_SECONDS = 0.25
"""How long a token of a known key waits for newer keys when Rolecall does not answer."""
MAX_KEY_AGE_SECONDS = 3600.0
"""While Rolecall does not answer, its last keys are trusted this long."""
MAX_CACHED_TOKENS = 10_000
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})(?=$|[,\s])", re.ASCII | re.IGNORECASE)
_AGE = re.compile(r"\d{1,9}", re.ASCII)


class TokenKeys:
    """Verifies tokens; a verified one is kept by its text until it expires or the keys change.

    A token proves who its caller was when it was signed, at most five minutes ago. Whether the
    session has ended since then is known to Rolecall: pass `session` to `check`. The `revoked` keys
    are those that the policy stream names; no token of them counts, also if the key set has them.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        issuer: str,
        timeout: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        revoked: Container[str] = frozenset(),
    ) -> None:
        self._transport = transport
        self._revoked = revoked
        self._issuer = issuer
        self._timeout = timeout
        self._now = now
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fresh_seconds = MAX_FRESH_SECONDS
        self._failed = False
        self._running: asyncio.Task[None] | None = None
        self._verified: dict[str, tuple[str, TokenUser]] = {}
        """The key and the user of each token that was verified."""

    async def verify(self, token: str) -> TokenUser:
        """Verify the access token of a user.

        Raises:
            TokenExpiredError: its time is over.
            TokenRejectedError: it is not a valid access token of a user.
            NoAnswerError: the keys cannot be fetched, so nothing is known about it.
        """
        now = self._now()
        age = self._age()
        if age > self._fresh_seconds:
            await self._refresh(None if age > MAX_KEY_AGE_SECONDS else REFRESH_WAIT_SECONDS)
        known = self._verified.get(token)
        if known is not None:
            kid, user = known
            if now.timestamp() < user.expires_at + LEEWAY_SECONDS and kid not in self._revoked:
                return user
            del self._verified[token]
        try:
            kid = jwt.key_id(token, typ=ACCESS_TYPE)
            user = verify_user(token, await self._key(kid), issuer=self._issuer, now=now)
        except ExpiredToken as error:
            raise TokenExpiredError("The access token has expired.") from error
        except BadToken as error:
            raise TokenRejectedError("The access token is not valid.") from error
        if len(self._verified) >= MAX_CACHED_TOKENS:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = kid, user
        return user

    async def _key(self, kid: str) -> Ed25519PublicKey:
        if kid in self._revoked:
            raise BadToken("revoked key")
        if kid not in self._keys:
            await self._refresh(None)
        if self._age() > MAX_KEY_AGE_SECONDS:
            raise NoAnswerError("The keys of Rolecall cannot be fetched.")
        key = self._keys.get(kid)
        if key is None and self._failed:
            raise NoAnswerError("It is not known whether the key of this token exists.")
        if key is None:
            raise BadToken("unknown key")
        return key

    def _age(self) -> float:
        return asyncio.get_running_loop().time() - self._fetched_at

    async def _refresh(self, wait_seconds: float | None) -> None:
        """Fetch the keys, unless that was tried a moment ago; a failure keeps the known ones."""
        if self._running is None or self._running.done():
            now = asyncio.get_running_loop().time()
            if now - self._tried_at < self._pause():
                return
            self._tried_at = now
            self._running = asyncio.create_task(self._fetch())
        done, _ = await asyncio.wait({self._running}, timeout=wait_seconds)
        for task in done:
            task.result()

    async def _fetch(self) -> None:
        self._failed = True
        try:
            answer, headers = await self._transport.send(
                "GET", KEY_SET_PATH, until=self._tried_at + self._timeout
            )
        except NoAnswerError:
            return
        match answer.status, answer.content:
            case 200, {"keys": [*jwks]}:
                self._take(jwks)
                self._fresh_seconds = fresh_seconds(headers)

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


def fresh_seconds(headers: Mapping[str, str]) -> float:
    """Return for how long a key set with these headers is used before it is fetched again."""
    max_age = _MAX_AGE.search(headers.get("Cache-Control", ""))
    if max_age is None:
        return MAX_FRESH_SECONDS
    age = headers.get("Age", "0")
    in_caches = int(age) if _AGE.fullmatch(age) else 0
    return min(max(float(int(max_age[1]) - in_caches), 0.0), MAX_FRESH_SECONDS)
