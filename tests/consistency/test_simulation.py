"""Does the promise hold in the simulated world, and does each planted defect break it there?"""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.consistency.mutants import MUTANTS
from tests.consistency.world import Outcome, simulate

# It waits for nothing and cannot hang; how long it takes is the machine's business.
pytestmark = pytest.mark.timeout(1800)

SEEDS = 100
QUIET_SEEDS = 10
SEARCH = 300
"""A mutant must be found within so many seeds; the rarest shows in one of twenty."""


@pytest.fixture
def tell(request, capsys) -> Callable[[str], None]:
    """Write a line of figures that is seen in a green run too."""
    terminal = request.config.pluginmanager.getplugin("terminalreporter")

    def line(text: str) -> None:
        with capsys.disabled():
            terminal.ensure_newline()
            terminal.write_line(text)

    return line


def total(outcomes: list[Outcome]) -> tuple[Counter[str], list[float]]:
    answers = sum((outcome.answers for outcome in outcomes), Counter[str]())
    return answers, sorted(wait for outcome in outcomes for wait in outcome.waits)


def report(title: str, answers: Counter[str], waits: list[float]) -> str:
    checks = answers.total()
    p50, p99 = (waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.99))
    return (
        f"{title}: {checks} checks, {answers['closed'] / checks:.1%} closed, {len(waits)} changes"
        f" in force after {p50:.0f} ms (p50), {p99:.0f} ms (p99)"
    )


def test_no_replica_allows_what_was_removed_and_acknowledged_under_any_fault(tell):
    outcomes = [simulate(seed) for seed in range(SEEDS)]
    answers, waits = total(outcomes)
    tell(report("faults", answers, waits))
    assert {seed: outcome.wrong for seed, outcome in enumerate(outcomes) if outcome.wrong} == {}
    assert answers["allow"] > 1000, "the world must have something to allow"
    assert answers["deny"] > answers["closed"], "closing every check would be no proof"


def test_without_faults_no_check_is_closed_once_the_replicas_have_started(tell):
    outcomes = [simulate(seed, faults=False) for seed in range(QUIET_SEEDS)]
    answers, waits = total(outcomes)
    tell(report("no faults", answers, waits))
    assert not any(outcome.wrong for outcome in outcomes)
    assert answers["closed"] / answers.total() < 0.01


@pytest.mark.parametrize("name", MUTANTS)
def test_the_simulation_finds_a_wrong_allow_when_there_is(name, tell):
    for seed in range(SEARCH):
        outcome = simulate(seed, MUTANTS[name])
        if outcome.wrong:
            tell(
                f"{name}: red at seed {seed}, {outcome.wrong} wrong allows, "
                f"the latest {outcome.worst:.2f} s after the acknowledgement"
            )
            return
    pytest.fail(f"{name} was not found within {SEARCH} seeds")
