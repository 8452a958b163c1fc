"""The supervisor of a service's background loops."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping

from shared import context, metrics
from shared.cancellation import cancelled_by_us, end
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 30.0

Loop = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class Supervisor:
    """Runs loops as tasks. A loop that fails is logged, counted and started again after a pause.

    The pause doubles up to five seconds. It is short again after half a minute without a failure.
    """

    def __init__(
        self,
        service: str,
        *,
        first_pause: float = FIRST_PAUSE_SECONDS,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self._timeouts = timeouts
        self._service = service
        self._first_pause = first_pause
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, loops: Mapping[str, Loop]) -> None:
        """Run `loops` until `stop`; a loop that returns is done."""
        metrics.start_at_zero(metrics.TASK_CRASHES, [self._service], loops)
        for name, loop in loops.items():
            task = asyncio.create_task(self._keep(name, loop), name=f"{self._service}.{name}")
            self._tasks.append(task)

    async def stop(self) -> None:
        """Cancel every loop and wait until it has ended."""
        await end(self._tasks, again_after=self._timeouts.cancel_again)
        self._tasks.clear()

    async def _keep(self, name: str, loop: Loop) -> None:
        context.service.set(self._service)
        clock = asyncio.get_running_loop()
        pause = self._first_pause
        while True:
            started = clock.time()
            try:
                await loop()
            except asyncio.CancelledError:
                # Libraries raise it for other reasons too; only `stop` ends a loop.
                if cancelled_by_us():
                    raise
                _log.exception("task was cancelled from within", extra={"task": name})
            except Exception:  # noqa: BLE001 - the loop must go on after each failure
                _log.exception("task failed", extra={"task": name})
                if cancelled_by_us():
                    return
            else:
                return
            metrics.TASK_CRASHES.labels(self._service, name).inc()
            if clock.time() - started > STEADY_SECONDS:
                pause = self._first_pause
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
