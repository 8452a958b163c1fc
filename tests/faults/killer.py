"""Who is killed when, and how long does it take to be there again?"""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from deploy.programs.program import Program

UNDER_WAY_SECONDS = 0.1
"""From a request until its last effect, roughly."""


class Killer:
    """Kills each of the victims `times` times with SIGKILL, and starts it again each time.

    A victim is one program, or several of which any one is taken. `hands` victims may be dead at
    the same time. The moment: up to `pause` seconds after it is taken in hand and then, because
    little goes wrong between two writes, while the next one is under way.
    """

    def __init__(
        self,
        victims: Mapping[str, Sequence[Program]],
        *,
        times: int,
        seed: int,
        hands: int,
        pause: float,
        sending: asyncio.Event,
    ) -> None:
        self.kills: Counter[str] = Counter()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        """Victim → from each kill until it was ready."""
        self.down: set[str] = set()
        self._victims = victims
        self._hands = hands
        self._pause = pause
        self._sending = sending
        self._choices = random.Random(seed)
        self._waiting = [name for name in victims for _ in range(times)]
        self._choices.shuffle(self._waiting)
        self._held: set[str] = set()

    async def run(self) -> None:
        """Return when everything was killed as often as it should be, and is there."""
        async with asyncio.TaskGroup() as hands:
            for _ in range(self._hands):
                hands.create_task(self._work())

    async def watch(self) -> None:
        """Fail when something ends that nobody killed. Never ends by itself."""
        while True:
            for name, programs in self._victims.items():
                if name not in self.down:
                    alone = [program.log for program in programs if not program.running]
                    assert not alone, f"{name} ended, and nobody had killed it: see {alone}"
            await asyncio.sleep(0.1)

    async def _work(self) -> None:
        while (name := self._next()) is not None:
            await asyncio.sleep(self._choices.uniform(0.2, self._pause))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._sending.wait()
            await asyncio.sleep(self._choices.uniform(0, UNDER_WAY_SECONDS))
            await self._kill(name, self._choices.choice(self._victims[name]))
            self._held.discard(name)

    def _next(self) -> str | None:
        name = next((name for name in self._waiting if name not in self._held), None)
        if name is not None:
            self._waiting.remove(name)
            self._held.add(name)
        return name

    async def _kill(self, name: str, program: Program) -> None:
        began = asyncio.get_running_loop().time()
        self.down.add(name)
        await asyncio.to_thread(program.kill)
        starting = asyncio.create_task(asyncio.to_thread(program.start))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await starting  # or it would run on after everything is stopped
            raise
        self.down.discard(name)
        self.kills[name] += 1
        self.seconds[name].append(asyncio.get_running_loop().time() - began)
