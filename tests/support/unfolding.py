"""Short texts that stand for much, and the work that a call does with one."""

from __future__ import annotations

import gc
import time
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS, SIZE = 0.5, 4 * 1024 * 1024


def shared_references(levels: int = 17) -> bytes:
    """CBOR of a few hundred bytes: each list holds the one before twice, by its number."""
    lists = b"\xd8\x1c\x81\x00"
    for before in range(levels - 1):
        number = bytes([before]) if before < 24 else b"\x18" + bytes([before])
        lists += b"\xd8\x1c\x82" + (b"\xd8\x1d" + number) * 2
    return (bytes([0x80 + levels]) if levels < 24 else b"\x98" + bytes([levels])) + lists


@contextmanager
def little_work(*, seconds: float = SECONDS, size: int = SIZE) -> Iterator[None]:
    """Fail if what runs here takes longer of the processor, or more memory at a time.

    A collection of garbage is not work of the call: it visits all that other tests have left.
    """
    gc.disable()
    tracemalloc.start()
    began = time.thread_time()
    try:
        yield
    finally:
        taken, (_, peak) = time.thread_time() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        gc.enable()
    assert taken < seconds, f"it took {taken:.2f} seconds"
    assert peak < size, f"it took {peak} bytes"
