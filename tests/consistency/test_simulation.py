"""The simulation finds no wrong allow in the product, and finds one in every planted variant."""

from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest

from tests.consistency.planted_variants import PLANTED_VARIANTS
from tests.consistency.simulation import Outcome, simulate
from tests.lengths import DEFAULT_SEED, SEED, length

# It waits for nothing and cannot hang; its duration depends on the machine only.
pytestmark = pytest.mark.timeout(1800)

FIRST_SEED = SEED - DEFAULT_SEED
CHECKS = length("CHECKS", short=500_000, soak=9_000_000)
"""The short length takes twice the seeds after which the last planted variant is found."""
QUIET_CHECKS = max(CHECKS // 10, 100_000)
SEARCH = 300
"""A planted variant must be found within this number of seeds; the rarest shows in one of forty."""
VARIANT_CHECKS = length("VARIANT_CHECKS", short=0, soak=3_600_000)
"""The search for a wrong allow goes on for this number of checks, to count how often it shows."""


def total(outcomes: list[Outcome]) -> tuple[Counter[str], list[float]]:
    answers = sum((outcome.answers for outcome in outcomes), Counter[str]())
    return answers, sorted(wait for outcome in outcomes for wait in outcome.waits)


def simulate_checks(checks: int, *, faults: bool) -> dict[int, Outcome]:
    """Seed → outcome, until the number of checks is reached."""
    outcomes: dict[int, Outcome] = {}
    done = 0
    for seed in count(FIRST_SEED):
        outcomes[seed] = simulate(seed, faults=faults)
        done += outcomes[seed].answers.total()
        if done >= checks:
            return outcomes
    raise AssertionError


def line(title: str, outcomes: dict[int, Outcome]) -> str:
    answers, waits = total(list(outcomes.values()))
    checks = answers.total()
    p50, p99 = (waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.99))
    return (
        f"{title}: seeds {min(outcomes)} to {max(outcomes)}, {checks} checks, wrong allows "
        f"{sum(outcome.wrong for outcome in outcomes.values())}, "
        f"{answers['closed'] / checks:.1%} closed; "
        f"{sum(outcome.repeats for outcome in outcomes.values())} repeats answered; "
        f"{len(waits)} changes"
        f" in force after {p50:.0f} ms (p50), {p99:.0f} ms (p99)"
    )


def test_no_fault_makes_a_replica_allow_a_removed_member(report: Callable[[str], None]):
    outcomes = simulate_checks(CHECKS, faults=True)
    answers, _ = total(list(outcomes.values()))
    report(line("no defect, faults", outcomes))
    assert {seed: outcome.wrong for seed, outcome in outcomes.items() if outcome.wrong} == {}
    assert answers["allow"] > 1000, "the simulation must have something to allow"
    assert answers["deny"] > answers["closed"], "closing every check would prove nothing"
    assert sum(outcome.repeats for outcome in outcomes.values()) > 1000, "repeats are answered"
    assert not any(outcome.other_histories for outcome in outcomes.values())


def test_without_faults_no_check_is_closed_after_the_start(report: Callable[[str], None]):
    outcomes = simulate_checks(QUIET_CHECKS, faults=False)
    answers, _ = total(list(outcomes.values()))
    report(line("no defect, no faults", outcomes))
    assert not any(outcome.wrong for outcome in outcomes.values())
    assert answers["closed"] / answers.total() < 0.01


@pytest.mark.parametrize("name", PLANTED_VARIANTS)
def test_the_simulation_finds_a_wrong_allow_of_each_planted_variant(
    name: str, report: Callable[[str], None]
):
    outcomes: dict[int, Outcome] = {}
    checks = 0
    while len(outcomes) < SEARCH or checks < VARIANT_CHECKS:
        seed = FIRST_SEED + len(outcomes)
        outcomes[seed] = simulate(seed, PLANTED_VARIANTS[name])
        checks += outcomes[seed].answers.total()
        if outcomes[seed].wrong and checks >= VARIANT_CHECKS:
            break
    red = [seed for seed, outcome in outcomes.items() if outcome.wrong]
    wrong = sum(outcome.wrong for outcome in outcomes.values())
    report(
        f"{name}: {checks} checks, {wrong} wrong allows; red in {len(red)} of {len(outcomes)} seeds"
        f"{f', first {red[0]}' if red else ''}"
    )
    assert red, f"{name} was not found within {len(outcomes)} seeds"
