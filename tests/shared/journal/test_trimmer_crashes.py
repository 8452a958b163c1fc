"""A trimmer that is killed at any step loses no row, and no answer about the past is wrong."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from shared.contracts.policy_objects import PolicyObjectKind
from shared.contracts.refusals import HistoryUnavailable
from shared.elections import ELECTION_TERM
from shared.journal import KEPT, ObjectName
from shared.journal.history import BEGINS
from tests.faults.crashes import StepKills, kill_table
from tests.lengths import length
from tests.shared.journal.trim_site import ACCOUNT, DAY, PAST, SHARD, TrimSite

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from shared.journal.history import PastObjects
    from shared.journal.relay import Relay
    from shared.mongo import Database, DbClient

ROUNDS = length("TRIMMER_CRASHES", short=1, soak=20)
EVERY = 5
OBJECTS = range(2)
NAMES = [ObjectName(PolicyObjectKind.PROJECT, f"prj_{number}") for number in OBJECTS]
HEAD, CONFIRMED = 8, 6
FORGOTTEN = 4
"""The rows whose states were over before the past that is known."""


class TrimRuns:
    """A journal that is trimmed by programs that die; each run has a new epoch."""

    def __init__(self, site: TrimSite) -> None:
        self.site = site

    async def write(self) -> None:
        """Let an epoch be over, and eight rows of the next one be old and confirmed by all."""
        site = self.site
        await site.write(*OBJECTS)
        await site.restore()
        await site.database["history_marks"].delete_many({"_id": BEGINS})  # as in a first epoch
        self.of_former = await site.database[KEPT].count_documents({})
        self.moments: list[datetime] = []
        for _ in range(HEAD // len(OBJECTS)):
            site.clock.move(10 * DAY)
            await site.write(*OBJECTS)
            self.moments.append(site.clock.now())
        site.clock.move(8 * DAY)
        await site.confirm(CONFIRMED)

    async def past(self) -> list[PastObjects | None]:
        """What is known of each moment; `None` where it is not known any more."""
        found: list[PastObjects | None] = []
        for moment in self.moments:
            answer = None
            with contextlib.suppress(HistoryUnavailable):
                answer = await self.site.history.as_of(ACCOUNT, NAMES, moment)
            found.append(answer)
        return found

    async def former(self) -> tuple[int, bool]:
        """How many rows of former epochs there are, and whether all are told to be gone."""
        await self.site.restores.refresh()
        told = all(each.trimmed == each.heads for each in self.site.restores.former)
        return await self.site.database[KEPT].count_documents({}), told


@pytest.fixture
async def runs(client: DbClient, database: Database, relay: Relay) -> TrimRuns:
    site = TrimSite(client, database, relay, past=PAST)
    await site.open()
    return TrimRuns(site)


@pytest.mark.timeout(3600)
@pytest.mark.rule("B15")
async def test_a_trimmer_that_dies_at_any_step_loses_nothing(
    runs: TrimRuns, mongo_url: str, tmp_path: Path, report: Callable[[str], None]
) -> None:
    kills, site = StepKills("crashing_trimmer", every=EVERY), runs.site
    for _ in range(ROUNDS):
        for step in kills.steps():
            await runs.write()
            before = await runs.past()
            arguments = (mongo_url, site.database.name, site.clock.now().isoformat())
            name = await kills.run(tmp_path, step, *arguments)

            told, kept, past = await site.told(), await site.kept(), await runs.past()
            assert told <= CONFIRMED, name
            assert [seq for seq in kept if seq > told] == list(range(told + 1, HEAD + 1)), name
            assert past[2:] == before[2:], name
            assert all(now in (then, None) for now, then in zip(past, before, strict=True)), name
            rows, is_told = await runs.former()
            assert rows == runs.of_former or is_told, name

            site.clock.move(ELECTION_TERM.total_seconds() + 1)
            await site.trimmer(holder=f"after {step}").round()
            assert (await site.kept(), await site.told()) == (
                list(range(CONFIRMED + 1, HEAD + 1)),
                CONFIRMED,
            )
            assert await runs.past() == [None, None, *before[2:]], name
            of_past = sorted(await site.database["history"].distinct("seq", {"shard": SHARD}))
            assert of_past == list(range(FORGOTTEN + 1, HEAD + 1)), name
            archived = sorted(await site.database["journal_archive"].distinct("seq"))
            assert archived == list(range(FORGOTTEN + 1, CONFIRMED + 1)), name
            assert await runs.former() == (0, True), name
            if name is None:
                break
    report(kill_table("trimmer of a journal killed", kills.died, doubles={}))
