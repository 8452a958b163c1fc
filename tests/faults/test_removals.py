"""After an acknowledged change that takes access away, no replica of authz allows it.

Removals: in each round one replica is stopped before the removal and continued right after the
answer; its first answers are counted. In every second round its link to the broker is cut, too.

Random faults: in each round every kind of change is made in a team of its own while faults that
were chosen from the seed happen, and every replica is checked at once and for longer than a lease.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.e2e.journey import World
from tests.faults import faulty_rounds
from tests.faults.fault_counts import FaultCounts
from tests.faults.faulty_rounds import KINDS, FaultyRounds
from tests.faults.forger import Forger
from tests.faults.planted_services import DEFECTS
from tests.faults.removals import TEAMS, Removals
from tests.faults.replicated_product import ReplicatedProduct, running_product
from tests.faults.restored_database import restored_round
from tests.lengths import SEED, SOAK, length

pytestmark = pytest.mark.usefixtures("unmeasured")

REMOVALS = length("REMOVALS", short=20, soak=200)
"""The short form has one round of each kind: each planted defect is seen in the first round."""
MOST_ROUNDS = 30
"""A planted defect shows in the first round, unless the machine takes a second for a removal."""
CHANGED = KINDS if SOAK else KINDS[::2]
CHANGES = length("REVOCATIONS", short=len(CHANGED), soak=1200)
"""The changes under random faults; a round has one of each kind."""
PROMPT = length("PROMPT_REVOCATIONS", short=0, soak=1000)
"""How many of them are followed by all checks within 5 ms; a busy machine takes longer for some."""

OWNERS = 3
NEAREST = "no-barrier"
"""The defect that the short form plants; `make soak` plants each."""
OF_REMOVALS = ("no-barrier", "heads-first", "lease-from-the-reply")
OF_RANDOM_FAULTS = [defect for defect in DEFECTS if defect != "heads-first"]
"""A removal must slip between two statements to show heads that are read first."""
SHOWN_BY = {"lease-from-the-reply": ("pause", "delay"), "over-gaps": ("disorder",)}
"""Faults that show a defect, and are rare at random or rarely meet on one process."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def product(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[ReplicatedProduct, World]]:
    async with running_product(tmp_path_factory.mktemp("removals"), database_links=SOAK) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(product: tuple[ReplicatedProduct, World]) -> Removals:
    removals = Removals(*product)
    await removals.create_teams()
    return removals


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rounds(product: tuple[ReplicatedProduct, World]) -> AsyncIterator[FaultyRounds]:
    started, world = product
    await started.plant(None)
    owners = [world.person("Olga Owner") for _ in range(OWNERS)]
    member, stranger = world.person("Max Member"), world.person("Mal Stranger")
    await asyncio.gather(*(person.sign_up() for person in (*owners, member, stranger)))
    made = await faulty_rounds.prepared(started, world, CHANGED, owners=owners, member=member)
    if not SOAK:
        yield made
        return
    async with Forger(started, victim=member.user_id, stranger=stranger.user_id) as forger:
        made.scene.forger = forger
        yield made


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
@pytest.mark.parametrize("defect", OF_REMOVALS if SOAK else [NEAREST])
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


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(7200)
async def test_nothing_taken_away_is_allowed_under_random_faults(
    rounds: FaultyRounds, report: Callable[[str], None]
) -> None:
    await rounds.begin(SEED)
    counts = rounds.counts
    while len(counts.changes) < CHANGES or counts.prompt < PROMPT:
        await rounds.random_round()
    report(counts.tables(SEED))

    assert not counts.wrong, counts.tables(SEED)
    assert not counts.unexpected, counts.tables(SEED)
    assert {change.kind for change in counts.changes} == {kind.kind for kind in CHANGED}


if SOAK:  # they start processes again, which costs more than all else here

    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.timeout(1800)
    @pytest.mark.parametrize("defect", OF_RANDOM_FAULTS)
    async def test_random_faults_show_each_planted_defect(
        rounds: FaultyRounds, report: Callable[[str], None], defect: str
    ) -> None:
        await rounds.begin(SEED, defect=defect)
        while not rounds.counts.wrong and rounds.counts.rounds < MOST_ROUNDS:
            try:
                if defect in SHOWN_BY:
                    await rounds.round(SHOWN_BY[defect])
                else:
                    await rounds.random_round()
            except AssertionError:  # a replica has skipped what gives something, too
                await rounds.scene.product.plant(None)
                await rounds.scene.product.plant(defect)
        report(f"{defect}: {rounds.counts.tables(SEED)}")

        assert rounds.counts.wrong

    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.timeout(1800)
    async def test_a_restored_database_allows_nothing_of_its_lost_history(
        rounds: FaultyRounds, report: Callable[[str], None]
    ) -> None:
        """Without a new epoch it does; that defect is seen, and then healed by a new epoch."""
        await rounds.begin(SEED)
        await restored_round(rounds, new_epoch=False)
        defect, rounds.counts = rounds.counts, FaultCounts()
        await restored_round(rounds, new_epoch=True)
        report(f"with the old epoch: {defect.tables(SEED)}\n\n{rounds.counts.tables(SEED)}")

        assert defect.wrong
        assert not rounds.counts.wrong
        assert not rounds.counts.unexpected
