"""Password hashing with argon2id in threads of its own."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from services.identity.domain.passwords import HashingBusy

T = TypeVar("T")

THREADS = 2
MAX_WAITING = 64
"""Passwords that may wait for a thread. One more is refused, which keeps the delay short."""


class Argon2Hasher:
    """Hashes and verifies passwords (argon2id, m=19 MiB, t=2, p=1)."""

    def __init__(self, *, max_waiting: int = MAX_WAITING) -> None:
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._room = BoundedSemaphore(THREADS + max_waiting)
        self._decoy_hash = self._argon2.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """Return the hash that is stored for a password.

        Raises:
            HashingBusy: too many passwords wait already.
        """
        return await self._run(lambda: self._argon2.hash(_prepared(password)))

    async def verify(self, stored_hash: str | None, password: str) -> bool:
        """Return whether this is the password; without a stored hash the work is the same (`T9`).

        Raises:
            HashingBusy: too many passwords wait already.
        """
        matches = await self._run(lambda: self._matches(stored_hash or self._decoy_hash, password))
        return matches and stored_hash is not None

    def close(self) -> None:
        """Accept no more passwords and drop those that wait."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored_hash, _prepared(password))
        except VerifyMismatchError:
            return False

    async def _run(self, job: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise HashingBusy(retry_after=1)
        running = self._pool.submit(job)
        # The place is free when the thread has finished, not when the caller stops waiting.
        running.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(running)


def _prepared(password: str) -> bytes:
    """Return the same bytes for the same characters, independent of how they were typed."""
    return unicodedata.normalize("NFKC", password).encode()
