"""The opening steps of a service: tried again until they succeed or no retry can help."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from shared.outage_log import OutageLog
from shared.problems import StartRefused

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 3.0

Step = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


async def open_step(step: Step, *, seconds: float) -> None:
    """Run a step, and again after a failure while `seconds` have not passed.

    Raises:
        StartRefused: at once.
        Exception: what the step still raised when the time was over.
    """
    clock = asyncio.get_running_loop()
    deadline = clock.time() + seconds
    pause = FIRST_PAUSE_SECONDS
    name = getattr(step, "__qualname__", repr(step))
    outage = OutageLog(_log, "A server", effect=f"The opening step {name} is tried again.")
    while True:
        try:
            await step()
        except StartRefused:
            raise
        except Exception as error:
            if clock.time() + pause > deadline:
                raise
            outage.away(repr(error))
        else:
            outage.back()
            return
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
