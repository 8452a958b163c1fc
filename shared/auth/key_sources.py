"""Sources of the public keys that verify access tokens."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rolecall.client.jwk import read_key_set
from shared.clock import Clock
from shared.contracts.calls.identity import KeySet
from shared.problems import Refusal, Unavailable

MIN_REFRESH_PAUSE_SECONDS = 1.0
"""Shorter than the time for which identity publishes a key before it signs."""
FIRST_KEYS_PAUSE_SECONDS = 0.2
"""The pause between two attempts while no token can be verified."""
REFRESH_AFTER_SECONDS = 300.0
REFRESH_WAIT_SECONDS = 0.25
"""How long a request with a known key waits for newer keys when identity does not answer."""
MAX_KEY_AGE_SECONDS = 3600.0


class KeySource(Protocol):
    """A source of the public keys of access tokens."""

    @property
    def version(self) -> int:
        """A number that changes when a key may have been removed; cached results are then void."""
        ...

    def find_now(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id if it is known and young; `None`: ask `find`, which may wait."""
        ...

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id, or None when it does not exist.

        Raises:
            Unavailable: identity does not answer, and the known keys are too old to be trusted.
        """
        ...


class StaticKeys:
    """Keys in this process: identity's own, or those of a test."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)
        self.version = 0

    def replace(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Replace all keys with these."""
        self._keys = dict(keys)
        self.version += 1

    def find_now(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id."""
        return self._keys.get(kid)

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id."""
        return self._keys.get(kid)


class RemoteKeys:
    """A cached copy of identity's key set.

    It is fetched again when it is five minutes old or a `kid` is unknown, at most once in a second,
    regardless of how many unknown ids arrive. It is never fetched from an address that a token
    names. While identity does not answer, the last set is trusted for an hour, and whether another
    `kid` exists is not known. Without a trusted set no request can be answered, so it is then
    fetched every 200 ms.
    """

    def __init__(self, fetch: Callable[[], Awaitable[KeySet]], *, clock: Clock) -> None:
        """Make it; `fetch` returns the JWK set and raises `Unavailable` when it cannot."""
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._running: asyncio.Task[None] | None = None
        self._failed = False
        """Whether the last attempt failed: identity may have keys that are not known here."""
        self.version = 0

    def known(self) -> bool:
        """Return whether there is a key set that is trusted now."""
        return self._age() <= MAX_KEY_AGE_SECONDS

    async def run(self) -> None:
        """Keep the key set young, so that requests find it. Never ends."""
        while True:
            if self._age() > REFRESH_AFTER_SECONDS:
                await self._refresh(None)
            await asyncio.sleep(self._pause())

    def find_now(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id; see `KeySource`."""
        return self._keys.get(kid) if self._age() <= REFRESH_AFTER_SECONDS else None

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """The key with this id; see `KeySource`."""
        if kid not in self._keys or not self.known():
            await self._refresh(None)
        elif self._age() > REFRESH_AFTER_SECONDS:
            await self._refresh(REFRESH_WAIT_SECONDS)
        if not self.known() or (self._failed and kid not in self._keys):
            raise Unavailable
        return self._keys.get(kid)

    def _pause(self) -> float:
        return MIN_REFRESH_PAUSE_SECONDS if self.known() else FIRST_KEYS_PAUSE_SECONDS

    def _age(self) -> float:
        if self._fetched_at is None:
            return float("inf")
        return self._clock.boottime() - self._fetched_at

    async def _refresh(self, wait_seconds: float | None) -> None:
        if self._running is None or self._running.done():
            now = self._clock.boottime()
            if self._tried_at is not None and now - self._tried_at < self._pause():
                return
            self._tried_at = now
            self._running = asyncio.create_task(self._read(now))
        done, _ = await asyncio.wait({self._running}, timeout=wait_seconds)
        for task in done:
            task.result()

    async def _read(self, now: float) -> None:
        try:
            keys = read_key_set((await self._fetch()).keys)
        except (Refusal, ValueError):
            self._failed = True
            return
        self._fetched_at, self._failed = now, False
        if keys.keys() != self._keys.keys():
            self.version += 1
        self._keys = keys
