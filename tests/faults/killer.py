"""Random kills of processes, each followed by a restart, and the seconds that those took."""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

REQUEST_SECONDS = 0.1
"""The approximate time from a request to its last effect."""


class Victim(Protocol):
    """A program that is killed and started again."""

    @property
    def running(self) -> bool:
        """Whether it runs."""

    @property
    def log(self) -> Path:
        """What it wrote."""

    def kill(self) -> None:
        """End it as a crash would."""

    def start(self) -> None:
        """Start it, and return when it answers."""


class Killer:
    """Kills each of the victims with SIGKILL as often as `times` says, and starts it again.

    A victim is one program, or several of which one is chosen each time. At most `at_once` victims
    are dead at the same time. A kill happens up to `pause` seconds after the last one, and then
    while a write is in progress, because little goes wrong between two writes.
    """

    def __init__(
        self,
        victims: Mapping[str, Sequence[Victim]],
        *,
        times: Mapping[str, int],
        seed: int,
        at_once: int,
        pause: float,
        sending: asyncio.Event,
    ) -> None:
        self.kills: Counter[str] = Counter()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        """Victim → the seconds from each kill until it was ready."""
        self.down: set[str] = set()
        self._victims = victims
        self._at_once = at_once
        self._pause = pause
        self._sending = sending
        self._choices = random.Random(seed)
        self._waiting = [name for name in victims for _ in range(times[name])]
        self._choices.shuffle(self._waiting)
        self._in_progress: set[str] = set()

    async def run(self) -> None:
        """Return when every victim was killed as often as it is to be, and is ready again."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._at_once):
                tasks.create_task(self._kill_in_turn())

    async def watch(self) -> None:
        """Fail when a program ends that was not killed. Never ends by itself."""
        while True:
            for name, programs in self._victims.items():
                if name not in self.down:
                    ended = [program.log for program in programs if not program.running]
                    assert not ended, f"{name} ended without a kill: see {ended}"
            await asyncio.sleep(0.1)

    async def _kill_in_turn(self) -> None:
        while (name := self._next()) is not None:
            await asyncio.sleep(self._choices.uniform(0.2, self._pause))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._sending.wait()
            await asyncio.sleep(self._choices.uniform(0, REQUEST_SECONDS))
            await self._kill(name, self._choices.choice(self._victims[name]))
            self._in_progress.discard(name)

    def _next(self) -> str | None:
        name = next((name for name in self._waiting if name not in self._in_progress), None)
        if name is not None:
            self._waiting.remove(name)
            self._in_progress.add(name)
        return name

    async def _kill(self, name: str, program: Victim) -> None:
        began = asyncio.get_running_loop().time()
        self.down.add(name)
        await asyncio.to_thread(program.kill)
        starting = asyncio.create_task(asyncio.to_thread(program.start))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await starting  # or the program would outlive the stop of everything else
            raise
        self.down.discard(name)
        self.kills[name] += 1
        self.seconds[name].append(asyncio.get_running_loop().time() - began)
