"""Does a crash at any step between a write and its effects lose, double or invent something?"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from deploy.programs.program import Program
from tests.faults.crashing import DOOMED, NOT_WRITTEN, Point
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
ROUNDS = int(os.environ.get("ROLECALL_TEST_CRASHES", "2"))
"""How often it dies at each point."""
POINTS = [point for point in Point if point is not Point.NONE]


class Crashing(Program):
    """One life of the program in `crashing`."""

    name = "crashing"
    url = ""

    def __init__(self, folder: Path, *arguments: str) -> None:
        super().__init__(folder)
        self._arguments = arguments

    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.faults.crashing", *self._arguments]

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"}

    def answers(self) -> bool:
        return True


class Crashes:
    """The databases and the broker of one test, and the lives that it lives in them."""

    def __init__(self, mongo_url: str, amqp_url: str, name: str, folder: Path) -> None:
        self.client: MongoClient[dict[str, Any]] = MongoClient(mongo_url)
        self.written: Database[dict[str, Any]] = self.client[f"{name}_source"]
        self.heard: Database[dict[str, Any]] = self.client[f"{name}_heard"]
        self.lives = 0
        self.acknowledged: set[str] = set()
        self._addresses = (mongo_url, amqp_url, name)
        self._folder = folder

    def numbers(self) -> set[str]:
        """Of the projects that are there."""
        return {project["_id"] for project in self.written["projects"].find({})}

    def effects(self) -> Counter[str]:
        """How often each project was heard of."""
        return Counter(effect["number"] for effect in self.heard["effects"].find({}))

    @contextmanager
    def life(self, point: Point) -> Iterator[Crashing]:
        """Start the program, and end it at last; `acknowledged` has what it printed."""
        self.lives += 1
        program = Crashing(self._folder, *self._addresses, str(self.lives), point.value)
        program.log = self._folder / f"{self.lives}.log"
        try:
            program.start()
            yield program
        finally:
            program.kill()
        lines = program.log.read_text().splitlines()
        self.acknowledged |= {line for line in lines if line.startswith(f"{self.lives}-")}

    async def die_at(self, point: Point) -> str:
        """Live until the point is met; the number of the write that met it."""
        with self.life(point) as program:
            process = program._process
            assert process is not None
            await wait_for(lambda: not program.running, within=120, what=f"the crash {point}")
            assert process.returncode == -signal.SIGKILL, program.log.read_text()
            assert "Traceback" not in program.log.read_text()
        return f"{self.lives}-{DOOMED}"


@pytest.fixture
def crashes(mongo_url: str, amqp_url: str, database_name: str, tmp_path: Path) -> Iterator[Crashes]:
    made = Crashes(mongo_url, amqp_url, database_name, tmp_path)
    yield made
    made.client.close()


@pytest.mark.timeout(600)
async def test_a_crash_at_any_point_leaves_nothing_or_everything_once(
    crashes: Crashes, report: Callable[[str], None]
) -> None:
    met: Counter[str] = Counter()
    for point in POINTS * ROUNDS:
        number = await crashes.die_at(point)
        there = number in crashes.numbers()
        assert there is (point not in NOT_WRITTEN), point
        met[point] += 1

    with crashes.life(Point.NONE):
        await wait_for(
            lambda: set(crashes.effects()) == crashes.numbers() and not unsent(crashes),
            within=60,
            what="every row heard",
        )

    rows = list(crashes.written["journal"].find({}))
    heads = {
        head["_id"]: head["seq"] for head in crashes.written["heads"].find({"seq": {"$gt": 0}})
    }
    wanted = {(shard, seq) for shard, head in heads.items() for seq in range(1, head + 1)}
    assert crashes.acknowledged <= crashes.numbers()
    assert {(row["shard"], row["seq"]) for row in rows} == wanted
    assert len(rows) == len(crashes.numbers())
    assert set(crashes.effects().values()) == {1}
    assert set(crashes.effects()) == crashes.numbers()
    report(table(met, crashes))


def unsent(crashes: Crashes) -> int:
    return crashes.written["journal"].count_documents({"sent": False})


def table(met: Counter[str], crashes: Crashes) -> str:
    """What happened, for people."""
    lines = [f"{times:>3} deaths {point}" for point, times in met.items()]
    there, heard = len(crashes.numbers()), sum(crashes.effects().values())
    known = len(crashes.acknowledged)
    return "\n".join([*lines, f"written {there}, acknowledged {known}, heard {heard}"])
