"""A sealer that is killed at any step leaves one log: no gap, no double, no contradiction."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from rolecall.audit.notes import opened_checkpoint
from rolecall.audit.verification import Verified, verify
from services.audit.domain.sealed_records import PLATFORM
from tests.faults.crashes import KILLED, CrashingProgram, kill_table
from tests.faults.crashing_sealer import KEY, SealPoint
from tests.lengths import SOAK, length
from tests.services.audit.sealed_site import ACCOUNT, OTHER, Sealing, ids, ids_of, record, signer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from services.audit.domain.records import Record
    from tests.services.audit.conftest import Auditing

ROUNDS = length("SEALER_CRASHES", short=1, soak=20)
POINTS = [
    point
    for point in SealPoint
    if point is not SealPoint.NONE and (SOAK or point is not SealPoint.INSIDE_SEAL)
]
"""The database keeps what a dead process was changing for a minute: only a soak waits so long."""
TREES = (ACCOUNT, OTHER, PLATFORM)
BATCH = 20


class SealerRuns:
    """A log that grows before each run of the sealer."""

    def __init__(self, sealing: Sealing, mongo_url: str, folder: Path) -> None:
        self.sealing = sealing
        self.records: list[Record] = []
        self._mongo_url = mongo_url
        self._folder = folder

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
        database = self.sealing.auditing.database.name
        arguments = (self._mongo_url, database, str(self.sealing.folder), point.value)
        return await CrashingProgram(self._folder, "crashing_sealer", *arguments).run_to_its_end()

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
        assert await runs.run(point) == KILLED, point
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
    notes = sum(len(runs.kept(tree)) for tree in TREES)
    sealed_once = f"records {len(runs.records)}, each sealed once"
    last = [f"{sealed_once}; checkpoints {notes}, all consistent"]
    report(kill_table("sealer killed", died, doubles={}, last=last))
