"""After an acknowledged removal, no replica of authz allows the member.

In each round one replica is stopped before the removal and continued right after the answer; its
first answers are counted. In every second round its link to the broker is cut, too.
"""

import random
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.faults import removals
from tests.faults.planted_services import DEFECTS
from tests.faults.removals import TEAMS, Removals
from tests.lengths import SEED, SOAK, length

pytestmark = pytest.mark.usefixtures("unmeasured")

REMOVALS = length("REMOVALS", short=20, soak=200)
"""The short form has one round of each kind: each planted defect is seen in the first round."""
MOST_ROUNDS = 30
"""A planted defect shows in the first round, unless the machine takes a second for a removal."""

NEAREST = "no-barrier"
"""The defect that the short form plants; `make soak` plants each."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Removals]:
    async with removals.running(tmp_path_factory.mktemp("removals")) as started:
        yield started


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(600)
async def test_no_replica_allows_a_member_after_an_acknowledged_removal(
    running: Removals, report: Callable[[str], None]
) -> None:
    await running.begin(None)
    choices = random.Random(SEED)
    while running.removals < REMOVALS:
        await running.round(choices, cut=running.stopped // TEAMS % 2 == 0)
    report(running.table(SEED))

    assert running.answers["allow"] == 0, running.table(SEED)
    assert running.answers["deny"] > 0
    assert set(running.answers) <= {"deny", "503"}, running.table(SEED)
    assert running.stopped >= REMOVALS // 2
    assert running.cut >= REMOVALS // 4


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", DEFECTS if SOAK else [NEAREST])
async def test_each_planted_defect_allows_a_removed_member(
    running: Removals, report: Callable[[str], None], defect: str
) -> None:
    await running.begin(defect)
    choices = random.Random(SEED)
    rounds = 0
    while running.answers["allow"] == 0 and rounds < MOST_ROUNDS:
        await running.round(choices, cut=True)
        rounds += 1
    report(f"{defect}, red in round {rounds}: {running.table(SEED)}")

    assert running.answers["allow"] > 0, running.table(SEED)
