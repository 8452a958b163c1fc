"""May this password be chosen, and is it the one that was?"""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from shared.problems import Refusal, RefusalKind

T = TypeVar("T")

SHORTEST = 8
LONGEST = 128
THREADS = 2
WAITING = 64
"""Passwords that may wait for a thread; one more is refused, so that the delay stays small."""


class Busy(Refusal):
    """More passwords wait to be checked than this process takes on."""

    kind = RefusalKind.RATE_LIMITED
    code = "busy"
    detail = "Too many sign-ins at the moment; try again."


def password_fault(password: str, *, name: str, email: str) -> str | None:
    """Why this password may not be chosen, as a sentence; `None` when it may.

    There are no rules of composition: length, not being one that everybody tries first, and not
    being the user's own name or address with some digits around it (NIST SP 800-63B, 5.1.1).
    """
    if len(password) < SHORTEST:
        return f"A password has {SHORTEST} characters at least."
    if len(password) > LONGEST:
        return f"A password has {LONGEST} characters at most."
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        return "A password holds no control characters."
    folded = _fold(password)
    tried_first = {folded, _core(folded)}
    if len(set(folded)) < 3 or tried_first & _common():
        return "This password is among those that are tried first. Take another."
    local, _, domain = _fold(email).partition("@")
    own = {_fold(email), local, domain, domain.partition(".")[0], *_fold(name).split()}
    own.add("".join(_fold(name).split()))
    if tried_first & (own | {_core(word) for word in own if len(_core(word)) > 2}):
        return "This password is your own name or address. Take another."
    return None


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _core(word: str) -> str:
    """The word without the digits and signs around it."""
    letters = [index for index, character in enumerate(word) if character.isalpha()]
    return word[letters[0] : letters[-1] + 1] if letters else word


@cache
def _common() -> frozenset[str]:
    return frozenset(files(__package__).joinpath("common_passwords.txt").read_text("utf-8").split())


class Passwords:
    """Hashes and checks passwords in threads of its own (argon2id, m=19 MiB, t=2, p=1)."""

    def __init__(self, *, waiting: int = WAITING) -> None:
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._room = BoundedSemaphore(THREADS + waiting)
        self._nobodys = self._argon2.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """What is stored of a password.

        Raises:
            Busy: too many wait already.
        """
        return await self._run(lambda: self._argon2.hash(_prepared(password)))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password; without a user (`None`) the same work for a plain no.

        Raises:
            Busy: too many wait already.
        """
        fits = await self._run(lambda: self._fits(hashed or self._nobodys, password))
        return fits and hashed is not None

    def close(self) -> None:
        """Take no more; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._argon2.verify(hashed, _prepared(password))
        except VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise Busy(retry_after=1)
        job = self._pool.submit(work)
        # Given back when the thread is done, not when the caller stops waiting for it.
        job.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(job)


def _prepared(password: str) -> bytes:
    """The same bytes for the same characters, whichever keyboard composed them."""
    return unicodedata.normalize("NFKC", password).encode()
