"""The workers of the database driver, held as a crowd of slow requests holds them."""

import asyncio
import threading

from shared.mongo import DbClient
from tests.waiting import wait_for


async def hold(client: DbClient, event: threading.Event, count: int) -> list[asyncio.Future[None]]:
    """Hold `count` workers of a client, and return the tasks once all of them wait."""
    waiting: list[None] = []

    def wait() -> None:
        waiting.append(None)
        assert event.wait(30)

    loop = client.get_io_loop()
    run = client._framework.run_on_executor
    tasks = [asyncio.ensure_future(run(loop, wait)) for _ in range(count)]
    await wait_for(lambda: len(waiting) == count, what="every worker to be held")
    return tasks
