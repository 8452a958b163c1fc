"""Turns of the writers of one process: those of one shard would only conflict."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Protocol
from weakref import WeakValueDictionary

from shared.contracts.facts import SHARDS
from shared.journal.writes import GaveWay
from shared.problems import Unavailable
from shared.timeouts import DEFAULT_TIMEOUTS

MAX_DRY_RUNS = 3
"""How often a dry run begins that gives way to writers."""


class DryRunning(Protocol):
    """Runs a dry run; the seconds of waiting before it are over already."""

    async def __call__(self, *, waited: float) -> None:
        """Run it."""


class KeyedTurns:
    """One turn of each key at a time; the others of this key wait for it."""

    def __init__(self, *, seconds: float = DEFAULT_TIMEOUTS.shard_turn) -> None:
        """`seconds` is the longest wait for a turn."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._seconds = seconds

    @contextlib.asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Hold the turn of a key.

        Raises:
            Unavailable: those before take too long.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with _locked(lock, self._seconds):
            yield


class ShardTurns:
    """The right to write to each shard, which one writer of the process has at a time.

    A dry run commits nothing in the shard, so it has no turn there. It waits for the writers of its
    key and for the dry run before it, and gives way to each writer of its key that comes meanwhile.
    """

    def __init__(self, *, seconds: float) -> None:
        """`seconds` is how long a writer waits for its turn."""
        self._locks = [asyncio.Lock() for _ in range(SHARDS)]
        self._writers: Counter[str] = Counter()
        self._dry_runs = KeyedTurns(seconds=seconds)
        self._seconds = seconds

    @contextlib.asynccontextmanager
    async def turn(self, shard: int, key: str) -> AsyncIterator[float]:
        """Hold the right to write to a shard; it yields the seconds of waiting for it.

        Raises:
            Unavailable: the writers before take too long.
        """
        began = time.monotonic()
        self._writers[key] += 1
        try:
            async with _locked(self._locks[shard], self._seconds):
                yield time.monotonic() - began
        finally:
            self._writers -= Counter((key,))

    async def dry_run(self, shard: int, key: str, run: DryRunning) -> None:
        """Run what gives way when no writer of the key is known, and again after such a writer.

        Raises:
            Unavailable: the writers or the dry runs before take too long, or come again and again.
        """
        began = time.monotonic()
        async with self._dry_runs.turn(key):
            for _ in range(MAX_DRY_RUNS):
                while self.is_wanted(key):
                    async with _locked(self._locks[shard], self._seconds):
                        pass
                waited = time.monotonic() - began
                if waited > self._seconds:
                    break
                with contextlib.suppress(GaveWay):
                    return await run(waited=waited)
        raise Unavailable

    def is_wanted(self, key: str) -> bool:
        """Whether a writer of the key has its turn or waits for it."""
        return self._writers[key] > 0


@contextlib.asynccontextmanager
async def _locked(lock: asyncio.Lock, seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            await lock.acquire()
    except TimeoutError as late:
        raise Unavailable from late
    try:
        yield
    finally:
        lock.release()
