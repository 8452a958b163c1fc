"""After an acknowledged change that takes access away, no replica of authz allows it.

Removals: in each round one replica is stopped before the removal and continued right after the
answer; its first answers are counted. In every second round its link to the broker is cut, too.

Random faults: in each round every kind of change is made in a team of its own while faults that
were chosen from the seed happen, and every replica is checked at once and for longer than a lease.
"""

import random
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.e2e.journey import World
from tests.faults import faulty_rounds
from tests.faults.fault_counts import FaultCounts
from tests.faults.faulty_rounds import KINDS, FaultyRounds
from tests.faults.forger import Forger
from tests.faults.planted_services import DEFECTS
from tests.faults.random_faults import LATE_NEWS
from tests.faults.removals import TEAMS, Removals
from tests.faults.replicated_product import ReplicatedProduct, running_product
from tests.faults.restored_database import restored_round
from tests.lengths import SEED, SOAK, length

pytestmark = pytest.mark.usefixtures("unmeasured")

REMOVALS = length("REMOVALS", short=20, soak=200)
"""The short form has one round of each kind: each planted defect is seen in the first round."""
MOST_ROUNDS = 30
"""Most planted defects show in the first round."""
MOST_SECONDS = 180
"""No planted defect is looked for any longer."""
CHANGES = length("REVOCATIONS", short=len(KINDS), soak=1200)
"""The changes under random faults; a round has one of each kind."""
PROMPT = length("PROMPT_REVOCATIONS", short=0, soak=1000)
"""How many of them are followed by all checks within 5 ms; a busy machine takes longer for some."""
CHANGES_SECONDS = length("REVOCATION_SECONDS", short=120, soak=720)
"""Longer than all changes take on a quiet machine; no round begins after it."""

OWNERS = 3
MOST_RESTORES = 5
"""The restorations in which the old epoch is looked for."""
NEAREST = "no-barrier"
"""The defect that the short form plants; `make soak` plants each."""
OF_REMOVALS = ("no-barrier", "heads-first", "lease-from-the-reply")
OF_RANDOM_FAULTS = [defect for defect in DEFECTS if defect != "heads-first"]
"""A removal must slip between two statements to show heads that are read first."""
FIXED = () if SOAK else (LATE_NEWS,)
"""Each round of the short form has it, so that one round shows a change that is not awaited."""
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
async def rounds(
    product: tuple[ReplicatedProduct, World], running: Removals
) -> AsyncIterator[FaultyRounds]:
    """Rounds with people of the removals, in teams of their own."""
    started, world = product
    await started.plant(None)
    await running.refresh_tokens()
    owners = [team.owner for team in running.teams[:OWNERS]]
    member, stranger = (team.member for team in running.teams[:2])
    made = await faulty_rounds.prepared(
        started, world, KINDS, owners=owners, member=member, signed_in_at=running.signed_in_at
    )
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
    try:
        while running.removals < REMOVALS:
            await running.round(choices, cut=running.stopped // TEAMS % 2 == 0)
    finally:
        report(running.table(SEED))

    assert running.answers["allow"] == 0, running.table(SEED)
    assert running.answers["deny"] > 0
    assert set(running.answers) <= {"deny", "503"}, running.table(SEED)
    assert running.stopped >= REMOVALS // 2
    assert running.cut >= REMOVALS // 4


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(1200)
async def test_nothing_taken_away_is_allowed_under_random_faults(
    rounds: FaultyRounds, report: Callable[[str], None]
) -> None:
    await rounds.begin(SEED)
    counts = rounds.counts
    until = time.monotonic() + CHANGES_SECONDS
    try:
        while len(counts.changes) < CHANGES or counts.prompt < PROMPT:
            assert time.monotonic() < until, "Too few changes in time. Use a quiet machine."
            await rounds.random_round(*FIXED)
    finally:
        report(counts.tables(SEED))

    assert not counts.wrong, counts.tables(SEED)
    assert not counts.unexpected, counts.tables(SEED)
    assert {change.kind for change in counts.changes} == {kind.kind for kind in KINDS}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", OF_REMOVALS if SOAK else [NEAREST])
async def test_each_planted_defect_allows_a_removed_member(
    running: Removals, report: Callable[[str], None], defect: str
) -> None:
    await running.begin(defect)
    choices = random.Random(SEED)
    rounds = 0
    until = time.monotonic() + MOST_SECONDS
    try:
        while running.answers["allow"] == 0 and rounds < MOST_ROUNDS and time.monotonic() < until:
            rounds += 1
            await running.round(choices, cut=True)
    finally:
        report(f"{defect}, {rounds} rounds: {running.table(SEED)}")

    assert running.answers["allow"] > 0, running.table(SEED)


if SOAK:  # they start processes again, which costs more than all else here

    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.timeout(1800)
    @pytest.mark.parametrize("defect", OF_RANDOM_FAULTS)
    async def test_random_faults_show_each_planted_defect(
        rounds: FaultyRounds, report: Callable[[str], None], defect: str
    ) -> None:
        await rounds.begin(SEED, defect=defect)
        counts = rounds.counts
        until = time.monotonic() + MOST_SECONDS
        try:
            while not counts.wrong and counts.rounds < MOST_ROUNDS and time.monotonic() < until:
                try:
                    if defect in SHOWN_BY:
                        await rounds.round(SHOWN_BY[defect])
                    else:
                        await rounds.random_round(LATE_NEWS)
                except* AssertionError:  # a replica has skipped what gives something, too
                    await rounds.scene.product.plant(None)
                    await rounds.scene.product.plant(defect)
        finally:
            report(f"{defect}: {counts.tables(SEED)}")

        assert rounds.counts.wrong

    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.timeout(1800)
    async def test_a_restored_database_allows_nothing_of_its_lost_history(
        rounds: FaultyRounds, report: Callable[[str], None]
    ) -> None:
        """Without a new epoch it does; that defect is seen, and then healed by a new epoch."""
        await rounds.begin(SEED)
        defect = rounds.counts
        try:
            # Rows that are newer than the restored ones stop the replicas, which then hide it.
            while not defect.wrong and defect.rounds < MOST_RESTORES:
                await restored_round(rounds, new_epoch=False)
            rounds.counts = FaultCounts()
            await restored_round(rounds, new_epoch=True)
        finally:
            report(f"with the old epoch: {defect.tables(SEED)}\n\n{rounds.counts.tables(SEED)}")

        assert defect.wrong
        assert not rounds.counts.wrong
        assert not rounds.counts.unexpected
