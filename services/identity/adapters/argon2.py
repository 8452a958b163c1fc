"""Hashing of passwords and recovery codes with argon2id in a thread of its own.

Passwords are also compared with imported hashes.
"""

import asyncio
import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from services.identity.adapters.turns import QueueFull, Turns
from services.identity.domain.passwords import HashingBusy

T = TypeVar("T")

BCRYPT_PREFIX = "$2"
BCRYPT_BYTES = 72
"""What bcrypt takes of a password; the systems that use it ignore the rest."""
MAX_WAITING = 64
"""Passwords that may wait for the thread. One more is refused, which keeps the delay short."""
ARGON2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
CODE_ARGON2 = PasswordHasher(time_cost=1, memory_cost=4 * 1024, parallelism=1)
"""The cost for secrets of 50 random bits, of which ten are hashed at once: a tenth of that of a
password, which a person chose. `docs/decisions/0062-second-factors.md` has the reckoning."""
NICENESS, LOWEST_PRIORITY = 10, 19
"""What the thread adds to its process: it takes the time that others leave. A hash takes tens of
milliseconds, a check less than one."""


class Argon2Hasher:
    """Hashes and verifies passwords with argon2id, at the cost of the one that is handed in.

    There is one thread, and other work goes first: hashing does not delay checks (`T19`). Of those
    that wait, the passwords of senders with the fewest failed attempts are next, so a crowd that
    guesses does not delay a person (`T8`).
    """

    def __init__(
        self,
        *,
        argon2: PasswordHasher = ARGON2,
        code_argon2: PasswordHasher = CODE_ARGON2,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._argon2, self._code_argon2 = argon2, code_argon2
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="argon2", initializer=_give_way)
        self._turns = Turns(max_waiting=max_waiting)
        self._decoy_hash = self._argon2.hash(secrets.token_hex())

    async def hash(self, password: str, *, attempts: int) -> str:
        """Return the hash that is stored for a password; `attempts` as in `verify`.

        Raises:
            HashingBusy: too many passwords wait already.
        """
        return await self._run(lambda: self._argon2.hash(_prepared(password)), rank=attempts)

    async def hash_codes(self, codes: Sequence[str], *, attempts: int) -> list[str]:
        """Return the hashes of random codes; all of them take one turn of the thread.

        Raises:
            HashingBusy: too many passwords wait already.
        """

        def hashed() -> list[str]:
            return [self._code_argon2.hash(_prepared(code)) for code in codes]

        return await self._run(hashed, rank=attempts)

    async def verify(
        self,
        stored_hash: str | None,
        password: str,
        *,
        imported: bool = False,
        attempts: int,
    ) -> bool:
        """Return whether this is the password; without a stored hash the work is the same (`T9`).

        The stored hash says what it costs, so that of a recovery code costs less.
        Another system has made an `imported` hash, of the characters as they were typed. A hash
        that cannot be compared matches no password. `attempts` are those of the sender that a limit
        has counted of late, this one included: there is no hashing outside `rate_limited`.

        Raises:
            HashingBusy: too many passwords wait already.
        """
        compared = stored_hash or self._decoy_hash
        form = password.encode() if imported else _prepared(password)
        matches = await self._run(lambda: self._matches(compared, form), rank=attempts)
        return matches and stored_hash is not None

    def close(self) -> None:
        """Accept no more passwords and drop those that wait."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored_hash: str, form: bytes) -> bool:
        # One computation for each comparison: the time of an answer must not tell them apart.
        try:
            if stored_hash.startswith(BCRYPT_PREFIX):
                return bcrypt.checkpw(form[:BCRYPT_BYTES], stored_hash.encode())
            return self._argon2.verify(stored_hash, form)
        except (Argon2Error, ValueError):
            return False

    async def _run(self, job: Callable[[], T], *, rank: int) -> T:
        try:
            async with self._turns.turn(rank=rank):
                return await asyncio.wrap_future(self._thread.submit(job))
        except QueueFull as full:
            raise HashingBusy(retry_after=1) from full


def _give_way() -> None:
    """Lower the priority of this thread; other systems than Linux have none for a thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, min(niceness, LOWEST_PRIORITY))


def _prepared(password: str) -> bytes:
    """Return the same bytes for the same characters, independent of how they were typed."""
    return unicodedata.normalize("NFKC", password).encode()
