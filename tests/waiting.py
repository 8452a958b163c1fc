"""How does a test wait for something without sleeping for a fixed time?"""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


@overload
async def wait_for(
    condition: Callable[[], Awaitable[T | None]], *, within: float = 10.0, what: str = "condition"
) -> T: ...


@overload
async def wait_for(
    condition: Callable[[], T | None], *, within: float = 10.0, what: str = "condition"
) -> T: ...


async def wait_for(
    condition: Callable[[], object], *, within: float = 10.0, what: str = "condition"
) -> object:
    """Poll until `condition` gives something true, and give that.

    `condition` is a function or a coroutine function. Raises `AssertionError` naming `what` and
    the last value after `within` seconds; an assertion that fails inside `condition` counts as not
    yet true.
    """
    deadline = time.monotonic() + within
    pause = 0.005
    while True:
        last: object
        try:
            value = condition()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            last = value
        except AssertionError as failed:
            last = failed
        if time.monotonic() > deadline:
            message = f"{what}: not within {within} s, last {last!r}"
            raise AssertionError(message)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.1)


async def quickest(attempt: Callable[[], Awaitable[object]], *, under: float) -> float:
    """Give the seconds of the quickest of three attempts; one that is quick enough is the last.

    A machine that stands still makes one of them slow. What is slow by itself is so every time.
    """
    best = float("inf")
    for _ in range(3):
        began = time.monotonic()
        await attempt()
        best = min(best, time.monotonic() - began)
        if best < under:
            break
    return best
