"""Was a task asked to stop, and how is one ended for sure?"""

import asyncio
from collections.abc import Collection
from typing import Any


def cancelled_by_us() -> bool:
    """Tell whether the running task was asked to stop.

    A broken link makes aiormq raise `CancelledError` out of a call that nobody cancelled.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end(tasks: Collection[asyncio.Task[Any]], *, again_after: float = 1.0) -> None:
    """Cancel the tasks until every one has ended.

    Once is not enough: a library that waits with `asyncio.wait_for` of Python 3.11 may swallow a
    cancellation that comes in the same moment as what it waited for.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_after)
