"""What records add to usage counts once, wherever a process that folds it is killed."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.audit.domain.usage_sums import UsageGroup
from services.audit.use_cases.usage import read_usage
from shared.contracts.facts import Actor, shard_of
from shared.contracts.team import ProjectCreated
from tests.faults.crashing_folder import FoldPoint
from tests.lengths import SOAK, length
from tests.servers import UNMEASURED
from tests.services.audit.sealed_site import ACCOUNT
from tests.services.rows import row_of
from tests.support.forked import Forked
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.services.audit.conftest import Auditing

ROOT = Path(__file__).parents[3]
ROUNDS = length("FOLDER_CRASHES", short=1, soak=20)
POINTS = [point for point in FoldPoint if SOAK or point is not FoldPoint.INSIDE]
"""The database keeps what a dead process was changing for a while: only a soak waits so long."""
MADE = ProjectCreated(project_id="prj_1", name="prod")


class FolderProcess(Forked):
    """One run of the program in `crashing_folder`."""

    name = "crashing-folder"
    url = ""

    def __init__(self, folder: Path, *arguments: str) -> None:
        super().__init__(folder)
        self._arguments = arguments

    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.faults.crashing_folder", *self._arguments]

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}", **UNMEASURED}

    def answers(self) -> bool:
        return True


async def die_at(auditing: Auditing, mongo_url: str, folder: Path, point: FoldPoint) -> None:
    """Run the program until it dies."""
    program = FolderProcess(folder, mongo_url, auditing.database.name, point.value)
    program.start()
    process = program._process
    assert process is not None
    try:
        await wait_for(lambda: not program.running, within=120, what=f"the end of {point}")
    finally:
        program.kill()
    assert process.wait() == -signal.SIGKILL, program.log.read_text()
    assert "Traceback" not in program.log.read_text()


async def counted(auditing: Auditing) -> dict[str, int]:
    """The activity of each member."""
    page = await read_usage(
        auditing.ctx,
        ACCOUNT,
        [UsageGroup.MEMBER],
        first_day="2026-03-01",
        last_day="2026-03-31",
        after=None,
        limit=100,
    )
    return {row.group[UsageGroup.MEMBER]: row.activity for row in page.rows}


@pytest.mark.timeout(3600)
@pytest.mark.rule("Nv5")
async def test_usage_counts_once_wherever_its_folder_is_killed(
    auditing: Auditing, mongo_url: str, tmp_path: Path, report: Callable[[str], None]
) -> None:
    made: Counter[str] = Counter()
    died: Counter[FoldPoint] = Counter()
    for point in POINTS * ROUNDS:
        for user in ("usr_ana", "usr_ana", "usr_bo"):
            made[user] += 1
            actor = Actor(type="user", id=user)
            place = {"seq": made.total(), "shard": shard_of(ACCOUNT)}
            await auditing.take(row_of(MADE, account_id=ACCOUNT, actor=actor, **place))
        await die_at(auditing, mongo_url, tmp_path, point)
        died[point] += 1
        assert await counted(auditing) == made, point
    await auditing.ctx.usage.fold()
    assert await auditing.all("usage_added") == []
    assert await counted(auditing) == made
    lines = [f"{times:>3} kills of the folder: {point}" for point, times in died.items()]
    report("\n".join([*lines, f"records {made.total()}, counted once each"]))
