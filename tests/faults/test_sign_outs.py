"""After an answered sign-out, no service accepts a request of that session.

In each round a session ends while the broker is frozen and writers send requests to every service;
in every second round a process of team is frozen, too, and continues right after the answer.
"""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.faults import sign_outs
from tests.faults.planted_sign_outs import DEFECTS
from tests.faults.sign_outs import ENDINGS, SignOuts
from tests.lengths import SEED, SOAK, length

pytestmark = pytest.mark.usefixtures("unmeasured")

ROUNDS = length("SIGN_OUTS", short=8, soak=80)
MOST_ROUNDS = 10
"""A planted defect shows in the first or second round."""

NEAREST = "no-barrier"
"""The defect that the short form plants; `make soak` plants each."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SignOuts]:
    async with sign_outs.running(tmp_path_factory.mktemp("sign_outs")) as started:
        yield started


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(600)
async def test_no_service_accepts_a_session_after_its_answered_end(
    running: SignOuts, report: Callable[[str], None]
) -> None:
    await running.plant(None)
    running.begin(SEED)
    kinds = list(ENDINGS)
    for number in range(ROUNDS):
        kind = kinds[number // 2 % len(kinds)]
        await running.round(kind, frozen_team=number % 2 == 1)
    report(running.table(SEED))

    assert not running.accepted, running.table(SEED)
    assert running.endings.keys() == ENDINGS.keys(), running.table(SEED)
    assert running.answers["401"] > 100 * ROUNDS // 2, running.table(SEED)
    assert set(running.answers) <= {"401", "503"}, running.table(SEED)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", DEFECTS if SOAK else [NEAREST])
async def test_each_planted_defect_accepts_an_ended_session(
    running: SignOuts, report: Callable[[str], None], defect: str
) -> None:
    await running.plant(defect)
    running.begin(SEED)
    rounds = 0
    while not running.accepted["team"] and rounds < MOST_ROUNDS:
        # A frozen process of team learns nothing before the answer, however slow the machine is.
        await running.round("sign-out", frozen_team=defect != "no-barrier")
        rounds += 1
    report(f"{defect}, red in round {rounds}: {running.table(SEED)}")

    assert running.accepted["team"] > 0, running.table(SEED)
