"""A crash at any step between a write and its effects loses, repeats and invents nothing."""

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

from tests.faults.crashing_program import CRASHING_WRITE, NOT_WRITTEN, Point
from tests.lengths import length
from tests.servers import UNMEASURED
from tests.support.forked import Forked
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
ROUNDS = length("CRASHES", short=1, soak=5)
"""How often the program dies at each point."""
POINTS = [point for point in Point if point is not Point.NONE]


class CrashingProcess(Forked):
    """One run of the program in `crashing_program`."""

    name = "crashing"
    url = ""

    def __init__(self, folder: Path, *arguments: str) -> None:
        super().__init__(folder)
        self._arguments = arguments

    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.faults.crashing_program", *self._arguments]

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}", **UNMEASURED}

    def answers(self) -> bool:
        return True


class CrashRuns:
    """The databases and the broker of one test, and the runs of the program with them."""

    def __init__(self, mongo_url: str, amqp_url: str, name: str, folder: Path) -> None:
        self.client: MongoClient[dict[str, Any]] = MongoClient(mongo_url)
        self.source: Database[dict[str, Any]] = self.client[f"{name}_source"]
        self.consumer: Database[dict[str, Any]] = self.client[f"{name}_consumer"]
        self.runs = 0
        self.acknowledged: set[str] = set()
        self._addresses = (mongo_url, amqp_url, name)
        self._folder = folder

    def numbers(self) -> set[str]:
        """The numbers of the stored projects."""
        return {project["_id"] for project in self.source["projects"].find({})}

    def receipts(self) -> list[dict[str, Any]]:
        """What was found of the replicas that changes had waited for."""
        return list(self.source["receipts"].find({}))

    def effects(self) -> Counter[str]:
        """Project → how often its fact had an effect."""
        return Counter(effect["number"] for effect in self.consumer["effects"].find({}))

    @contextmanager
    def run(self, point: Point) -> Iterator[CrashingProcess]:
        """Start the program and kill it at the end; `acknowledged` has what it printed."""
        self.runs += 1
        program = CrashingProcess(self._folder, *self._addresses, str(self.runs), point.value)
        program.log = self._folder / f"{self.runs}.log"
        try:
            program.start()
            yield program
        finally:
            program.kill()
        lines = program.log.read_text().splitlines()
        self.acknowledged |= {line for line in lines if line.startswith(f"{self.runs}-")}

    async def die_at(self, point: Point) -> str:
        """Run until the program dies at `point`; the number of the write that it died at."""
        with self.run(point) as program:
            process = program._process
            assert process is not None
            await wait_for(lambda: not program.running, within=120, what=f"the crash {point}")
            assert process.poll() == -signal.SIGKILL, program.log.read_text()
            assert "Traceback" not in program.log.read_text()
        return f"{self.runs}-{CRASHING_WRITE}"


@pytest.fixture
def crashes(
    mongo_url: str, amqp_url: str, database_name: str, tmp_path: Path
) -> Iterator[CrashRuns]:
    made = CrashRuns(mongo_url, amqp_url, database_name, tmp_path)
    yield made
    made.client.close()


@pytest.mark.timeout(480 + 120 * ROUNDS)
async def test_a_crash_at_any_point_leaves_nothing_or_all_of_it_once(
    crashes: CrashRuns, report: Callable[[str], None]
) -> None:
    met: Counter[str] = Counter()
    for point in POINTS * ROUNDS:
        number = await crashes.die_at(point)
        there = number in crashes.numbers()
        assert there is (point not in NOT_WRITTEN), point
        assert point is not Point.BARRIER or number not in crashes.acknowledged
        met[point] += 1

    with crashes.run(Point.NONE):
        await wait_for(
            lambda: set(crashes.effects()) == crashes.numbers() and not unsent(crashes),
            what="an effect of every row",
        )
        await wait_for(
            lambda: len(crashes.receipts()) == met[Point.BARRIER],
            what="a receipt of each change that waited for its barrier",
        )

    rows = list(crashes.source["journal"].find({}))
    heads = {
        head["_id"]: head["last_seq"]
        for head in crashes.source["heads"].find({"last_seq": {"$gt": 0}})
    }
    wanted = {(shard, seq) for shard, head in heads.items() for seq in range(1, head + 1)}
    assert crashes.acknowledged <= crashes.numbers()
    assert {(row["shard"], row["seq"]) for row in rows} == wanted
    assert len(rows) == len(crashes.numbers())
    assert set(crashes.effects().values()) == {1}
    assert set(crashes.effects()) == crashes.numbers()
    report(table(met, crashes))


def unsent(crashes: CrashRuns) -> int:
    return crashes.source["journal"].count_documents({"sent": False})


def table(met: Counter[str], crashes: CrashRuns) -> str:
    """The figures of the run as text."""
    lines = [f"{times:>3} deaths {point}" for point, times in met.items()]
    stored, effects = len(crashes.numbers()), sum(crashes.effects().values())
    known = len(crashes.acknowledged)
    return "\n".join([*lines, f"stored {stored}, acknowledged {known}, effects {effects}"])
