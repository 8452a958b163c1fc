"""Coroutines in simulated time: deterministic, and without real waiting."""

import heapq
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Pause:
    """What a coroutine of the simulation yields: a time to sleep, which an alarm may end."""

    seconds: float
    alarm: "SimulatedAlarm | None" = None

    def __await__(self) -> Generator["Pause", None, None]:
        yield self


@dataclass(slots=True)
class Timeline:
    """A heap of actions, each with its time."""

    now: float = 0.0
    _heap: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _ties: "itertools.count[int]" = field(default_factory=itertools.count)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (self.now + seconds, next(self._ties), action))

    def run(self, until: float) -> None:
        while self._heap and self._heap[0][0] < until:
            self.now, _, action = heapq.heappop(self._heap)
            action()

    def sleep(self, seconds: float) -> Awaitable[None]:
        return Pause(seconds)

    def spawn(
        self, coroutine: Coroutine[Any, Any, Any], done: Callable[[Any], None] = lambda _: None
    ) -> None:
        def step() -> None:
            try:
                pause = coroutine.send(None)
            except StopIteration as end:
                done(end.value)
                return
            resume = _once(step)
            if pause.alarm is not None:
                pause.alarm.resume = resume
            self.after(pause.seconds, resume)

        step()


@dataclass(slots=True)
class SimulatedAlarm:
    """The `Alarm` of the simulation."""

    timeline: Timeline
    rung: bool = False
    resume: Callable[[], None] | None = None

    async def wait(self, seconds: float) -> None:
        if not self.rung:
            await Pause(seconds, self)
        self.rung = False

    def ring(self) -> None:
        self.rung = True
        if self.resume is not None:
            self.timeline.after(0, self.resume)


def _once(action: Callable[[], None]) -> Callable[[], None]:
    fresh = True

    def run() -> None:
        nonlocal fresh
        if fresh:
            fresh = False
            action()

    return run
