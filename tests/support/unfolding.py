"""Short texts that stand for much, and the work that a call does with one."""

from __future__ import annotations

import gc
import time
import tracemalloc
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS, SIZE = 0.5, 4 * 1024 * 1024
ATTEMPTS = 3


def shared_references(levels: int = 17) -> bytes:
    """CBOR of a few hundred bytes: each list holds the one before twice, by its number."""
    lists = b"\xd8\x1c\x81\x00"
    for before in range(levels - 1):
        number = bytes([before]) if before < 24 else b"\x18" + bytes([before])
        lists += b"\xd8\x1c\x82" + (b"\xd8\x1d" + number) * 2
    return (bytes([0x80 + levels]) if levels < 24 else b"\x98" + bytes([levels])) + lists


class Attempt(AbstractContextManager["Attempt"]):
    """Measures what runs in it: its processor time, or else its memory.

    To measure the memory takes several times as long as the work itself.
    """

    def __init__(self, *, memory: bool) -> None:
        self.seconds, self.size = 0.0, 0
        self._memory = memory

    def __enter__(self) -> Self:
        # A collection of garbage is not work of the call: it visits all that other tests have left.
        gc.disable()
        if self._memory:
            tracemalloc.start()
        self.seconds = -time.thread_time()
        return self

    def __exit__(self, *raised: object) -> None:
        self.seconds += time.thread_time()
        if self._memory:
            self.size = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        gc.enable()


def little_work(*, seconds: float = SECONDS, size: int = SIZE) -> Iterator[Attempt]:
    """Attempts at a call; fail if each takes longer of the processor, or more memory at a time.

    What measures the lines of tests stops at times to change the code that it measures.
    """
    for memory in (False, True):
        for _ in range(ATTEMPTS):
            attempt = Attempt(memory=memory)
            yield attempt
            if attempt.size < size if memory else attempt.seconds < seconds:
                break
        else:
            raise AssertionError(f"it took {attempt.seconds:.2f} seconds and {attempt.size} bytes")
