"""Cancellation of tasks: whether it was asked for, and ending tasks for certain."""

import asyncio
from collections.abc import Collection
from typing import Any


def cancelled_by_us() -> bool:
    """Return whether the running task was asked to stop.

    A broken link makes aiormq raise `CancelledError` in a task that was not cancelled.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end(tasks: Collection[asyncio.Task[Any]], *, again_after: float = 1.0) -> None:
    """Cancel the tasks until all have ended, again each `again_after` seconds.

    Once is not enough: `asyncio.wait_for` of Python 3.11 can lose a cancellation that comes in the
    same moment as the awaited result.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_after)
