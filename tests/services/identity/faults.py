"""Subclasses that tests hand in: a method that fails, takes time, waits, or is counted."""

from __future__ import annotations

import inspect
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from services.identity.adapters.argon2 import Argon2Hasher
from shared import context
from tests.clocks import SetClock

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass
class Fault:
    """While it is on, the method that it is planted in raises the problem."""

    problem: Exception
    on: bool = False

    def planted_in(self, kind: type[T], name: str) -> type[T]:
        """A subclass whose method of this name may fail."""
        method = getattr(kind, name)

        async def failing(*given: Any, **named: Any) -> Any:
            if self.on:
                raise self.problem
            return await method(*given, **named)

        return type(f"Failing{kind.__name__}", (kind,), {name: failing})


class WorkClock(SetClock):
    """Time passes only in pauses and in the methods that take time, as far as requests call them.

    What background loops do meanwhile takes none.
    """

    elapsed = 0.0

    def boottime(self) -> float:
        return self.elapsed

    async def pause(self, seconds: float) -> None:
        self.elapsed += seconds

    def taking(self, seconds: float, kind: type[T], *names: str) -> type[T]:
        """A subclass whose methods take this time; without names all of its coroutine methods."""
        found = names or [name for name, _ in inspect.getmembers(kind, inspect.iscoroutinefunction)]
        timed = {name: self._timed(seconds, getattr(kind, name)) for name in found}
        return type(f"Timed{kind.__name__}", (kind,), timed)

    def _timed(self, seconds: float, method: Callable[..., Any]) -> Callable[..., Any]:
        async def done(*given: Any, **named: Any) -> Any:
            if context.request_id.get() is not None:
                self.elapsed += seconds
            return await method(*given, **named)

        return done


class CountingHasher(Argon2Hasher):
    """Counts the passwords that a thread worked on."""

    def __init__(self, *, max_waiting: int = 64) -> None:
        super().__init__(max_waiting=max_waiting)
        self.jobs = 0

    async def _run(self, job: Callable[[], T], *, rank: int) -> T:
        self.jobs += 1
        return await super()._run(job, rank=rank)


class MeasuredHasher(Argon2Hasher):
    """Tells how long its thread was busy with each password, apart from what else was running."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.comparisons = 0

    async def _run(self, job: Callable[[], T], *, rank: int) -> T:
        def measured() -> T:
            began = time.thread_time()
            result = job()
            self.seconds.append(time.thread_time() - began)
            return result

        return await super()._run(measured, rank=rank)

    def _matches(self, stored_hash: str, form: bytes) -> bool:
        self.comparisons += 1
        return super()._matches(stored_hash, form)


class HeldHasher(Argon2Hasher):
    """Every password is held in its thread until `go_on` is set."""

    def __init__(self, *, max_waiting: int = 0) -> None:
        super().__init__(max_waiting=max_waiting)
        self.go_on = threading.Event()

    async def _run(self, job: Callable[[], T], *, rank: int) -> T:
        def held() -> T:
            assert self.go_on.wait(30)
            return job()

        return await super()._run(held, rank=rank)
