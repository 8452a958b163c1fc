"""Which public keys may access tokens be signed with?"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.auth.keys import read_key_set
from shared.clock import Clock
from shared.contracts.calls import KeySet
from shared.problems import Refusal, Unavailable

REFRESH_AT_MOST_EVERY = 10.0
REFRESH_AFTER = 300.0
REFRESH_PATIENCE = 0.25
"""How long the bearer of a known key waits for newer ones, should identity be silent."""
TRUST_KEYS_FOR = 3600.0


class KeySource(Protocol):
    """Where the public keys of access tokens come from."""

    @property
    def version(self) -> int:
        """Another number whenever a key may have gone; what was verified before is then void."""
        ...

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id, or None when there is none.

        Raises:
            Unavailable: nobody can be asked, and what is known is too old to be believed.
        """
        ...


class StaticKeys:
    """Keys that are known here (identity's own, or a test's)."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)
        self.version = 0

    def replace(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Know these keys from now on, and no others."""
        self._keys = dict(keys)
        self.version += 1

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id."""
        return self._keys.get(kid)


class RemoteKeys:
    """identity's key set, kept here.

    It is read again when it is five minutes old or when a `kid` is unknown, at most every ten
    seconds however many unknown ids are sent, and never from an address that a token names. While
    identity is away the last set counts for an hour.
    """

    def __init__(self, fetch: Callable[[], Awaitable[KeySet]], *, clock: Clock) -> None:
        """`fetch` gets the JWK set and raises `Unavailable` when it cannot."""
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._running: asyncio.Task[None] | None = None
        self.version = 0

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id; see `KeySource`."""
        if kid not in self._keys or self._age() > TRUST_KEYS_FOR:
            await self._refresh(None)
        elif self._age() > REFRESH_AFTER:
            await self._refresh(REFRESH_PATIENCE)
        if self._age() > TRUST_KEYS_FOR:
            raise Unavailable
        return self._keys.get(kid)

    def _age(self) -> float:
        if self._fetched_at is None:
            return float("inf")
        return self._clock.boottime() - self._fetched_at

    async def _refresh(self, patience: float | None) -> None:
        if self._running is None or self._running.done():
            now = self._clock.boottime()
            if self._tried_at is not None and now - self._tried_at < REFRESH_AT_MOST_EVERY:
                return
            self._tried_at = now
            self._running = asyncio.create_task(self._read(now))
        done, _ = await asyncio.wait({self._running}, timeout=patience)
        for task in done:
            task.result()

    async def _read(self, now: float) -> None:
        try:
            keys = read_key_set(await self._fetch())
        except (Refusal, ValueError):
            return
        self._fetched_at = now
        if keys.keys() != self._keys.keys():
            self.version += 1
        self._keys = keys
