"""A sealer that is killed at any step leaves one log: no gap, no double, no contradiction."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rolecall.audit.notes import opened_checkpoint
from rolecall.audit.verification import Verified, verify
from services.audit.domain.sealed_records import PLATFORM
from tests.faults.crashing_sealer import KEY, SealPoint
from tests.lengths import SOAK, length
from tests.servers import UNMEASURED
from tests.services.audit.sealed_site import ACCOUNT, OTHER, Sealing, ids, ids_of, record, signer
from tests.support.forked import Forked
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.audit.domain.records import Record
    from tests.services.audit.conftest import Auditing

ROOT = Path(__file__).parents[3]
ROUNDS = length("SEALER_CRASHES", short=1, soak=20)
POINTS = [
    point
    for point in SealPoint
    if point is not SealPoint.NONE and (SOAK or point is not SealPoint.INSIDE_SEAL)
]
"""The database keeps what a dead process was changing for a minute: only a soak waits so long."""
TREES = (ACCOUNT, OTHER, PLATFORM)
BATCH = 20


class SealerProcess(Forked):
    """One run of the program in `crashing_sealer`."""

    name = "crashing-sealer"
    url = ""

    def __init__(self, folder: Path, *arguments: str) -> None:
        super().__init__(folder)
        self._arguments = arguments

    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.faults.crashing_sealer", *self._arguments]

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}", **UNMEASURED}

    def answers(self) -> bool:
        return True


class SealerRuns:
    """A log that grows before each run of the sealer."""

    def __init__(self, sealing: Sealing, mongo_url: str, folder: Path) -> None:
        self.sealing = sealing
        self.records: list[Record] = []
        self._mongo_url = mongo_url
        self._folder = folder
        self._runs = 0

    async def grow(self) -> None:
        """Add some records to each tree."""
        first = len(self.records) + 1
        accounts = (ACCOUNT, OTHER, None)
        added = [record(seq, account=accounts[seq % 3]) for seq in range(first, first + BATCH)]
        self.records += added
        await self.sealing.add(*added)
        await self.sealing.applied(len(self.records))

    async def run(self, point: SealPoint) -> int:
        """Run the sealer; the status with which it ended."""
        self._runs += 1
        database = self.sealing.auditing.database.name
        arguments = (self._mongo_url, database, str(self.sealing.folder), point.value)
        program = SealerProcess(self._folder, *arguments)
        program.log = self._folder / f"{self._runs}.log"
        program.start()
        process = program._process
        assert process is not None
        try:
            await wait_for(lambda: not program.running, within=120, what=f"the end of {point}")
        finally:
            program.kill()
        assert "Traceback" not in program.log.read_text()
        return process.wait()

    def kept(self, tree: str) -> list[str]:
        """Every checkpoint of a tree that was ever shown to anyone."""
        file = self.sealing.files._file(self.sealing.folder, tree)
        return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.timeout(3600)
@pytest.mark.rule("B11")
async def test_a_sealer_that_dies_at_any_step_leaves_one_log(
    auditing: Auditing,
    mongo_url: str,
    tmp_path: Path,
    report: Callable[[str], None],
) -> None:
    runs = SealerRuns(Sealing(auditing, tmp_path / "checkpoints"), mongo_url, tmp_path)
    died: Counter[str] = Counter()
    for point in POINTS * ROUNDS:
        await runs.grow()
        assert await runs.run(point) == -signal.SIGKILL, point
        died[point] += 1
    assert await runs.run(SealPoint.NONE) == 0

    sealing = runs.sealing
    wanted = {ACCOUNT: ACCOUNT, OTHER: OTHER, PLATFORM: None}
    sealed = {tree: await ids_of(sealing, tree) for tree in TREES}
    for tree, account in wanted.items():
        of_tree = [each for each in runs.records if each.account_id == account]
        assert sealed[tree] == ids(of_tree), "each record once, in the order of its row"
        key = signer(KEY).verifier_keys(tree)[0]
        shown = [opened_checkpoint(note, key) for note in runs.kept(tree)]
        newest = await sealing.checkpoint(tree)
        assert newest.size == len(of_tree)
        lines = await sealing.lines(newest, tree)
        assert verify(lines, newest, shown) == Verified(records=newest.size)
    report(table(died, runs))


def table(died: Counter[str], runs: SealerRuns) -> str:
    """The figures of the run as text; the assertions have shown that the other columns are 0."""
    lines = [f"{'sealer killed':<52}{'kills':>6}{'lost':>6}{'double':>8}{'invented':>10}"]
    lines += [f"{point:<52}{times:>6}{0:>6}{0:>8}{0:>10}" for point, times in died.items()]
    shown = sum(len(runs.kept(tree)) for tree in TREES)
    lines.append(
        f"records {len(runs.records)}, each sealed once; checkpoints {shown}, all consistent"
    )
    return "\n".join(lines)
