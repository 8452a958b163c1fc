"""Waiting for a condition with a deadline, instead of a fixed sleep."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, TypeVar, overload

from tests.patience import LONGEST_WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


@overload
async def wait_for(
    condition: Callable[[], Awaitable[T | None]],
    *,
    within: float = LONGEST_WAIT_SECONDS,
    what: str = "condition",
) -> T: ...


@overload
async def wait_for(
    condition: Callable[[], T | None],
    *,
    within: float = LONGEST_WAIT_SECONDS,
    what: str = "condition",
) -> T: ...


async def wait_for(
    condition: Callable[[], object],
    *,
    within: float = LONGEST_WAIT_SECONDS,
    what: str = "condition",
) -> object:
    """Call `condition` until its value is true, and return that value.

    `condition` is a function or a coroutine function. An assertion that fails inside it counts as
    not yet true.

    Raises:
        AssertionError: it was not true within `within` seconds; the text has `what` and the last
            value.
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
    """Return the seconds of the quickest of at most three attempts; stop at one below `under`.

    A busy machine makes one attempt slow. Slow code is slow every time.
    """
    best = float("inf")
    for _ in range(3):
        began = time.monotonic()
        await attempt()
        best = min(best, time.monotonic() - began)
        if best < under:
            break
    return best
