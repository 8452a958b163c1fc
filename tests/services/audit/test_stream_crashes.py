"""A sender of streams that is killed at any step loses no record and repeats one batch at most."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from services.audit.domain.stream_attempts import LONGEST_PAUSE
from services.audit.domain.streams import PausedBecause
from services.audit.use_cases.streams import WantedStream, change_stream, order_test
from shared.elections import ELECTION_TERM, Election
from shared.mongo import transact
from tests.faults.crashes import BEFORE_COMMIT, StepKills, kill_table
from tests.faults.crashing_stream_sender import BATCH_ANSWERED, OFFICE, TEST_ANSWERED
from tests.lengths import length
from tests.services.audit.sealed_site import Sealing
from tests.services.audit.streams import ANA, SiemReceiver, Streaming, siem
from tests.services.audit.test_checkpoint_delivery import Team

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from services.audit.domain.streams import LogStream
    from shared.mongo import DbSession
    from tests.services.audit.conftest import Auditing

ROUNDS = length("STREAM_CRASHES", short=1, soak=20)
EVERY = 3
RECORDS = 3
LATER = LONGEST_PAUSE * 2 + ELECTION_TERM
"""After this time the term of a dead sender is over, and each pause."""


class Story(StrEnum):
    """What the sender has to do."""

    RECORDS = "records"
    GONE = "records to a receiver that is gone"
    TEST = "a test, then records"


class StreamRuns:
    """A log that is streamed by programs that die."""

    def __init__(self, auditing: Auditing, mongo_url: str, folder: Path) -> None:
        team: Any = Team()
        auditing.ctx = replace(auditing.ctx, internal=team)
        self.auditing = auditing
        self.streaming = Streaming(Sealing(auditing, folder / "checkpoints"))
        self.kills = StepKills("crashing_stream_sender", every=EVERY)
        self._where = (mongo_url, auditing.database.name)
        self._folder = folder

    async def prepare(self, story: Story, stream: LogStream, receiver: SiemReceiver) -> list[str]:
        """Let something be due; the ids of the new records."""
        if story is Story.TEST:
            await order_test(self.auditing.ctx, ANA, stream.account_id, stream.id)
        receiver.status = 410 if story is Story.GONE else 204
        return await self.streaming.write(RECORDS)

    async def die_at(self, step: int) -> str | None:
        """Send until the sender dies; then its term is over, and its pauses."""
        ahead = str(self.auditing.clock.ahead.total_seconds())
        name = await self.kills.run(self._folder, step, *self._where, ahead)
        if name == BEFORE_COMMIT:
            await transact(self.auditing.client, self._read)  # then old transactions are given up
        self.auditing.clock.ahead += LATER
        return name

    async def _read(self, session: DbSession) -> None:
        await self.auditing.database["streams"].find_one({}, session=session)

    async def look(self) -> None:
        """One look of the sender that is elected next."""
        clock = self.auditing.clock
        office = Election(self.auditing.database, OFFICE, holder="next", clock=clock)
        assert await office.won()
        await self.streaming.look()
        clock.ahead += ELECTION_TERM

    async def resume(self, stream: LogStream, receiver: SiemReceiver) -> None:
        """Have a member find the stream paused as its receiver was gone, and enable it again."""
        await self.look()
        assert (await self.streaming.stored(stream)).paused is PausedBecause.GONE
        receiver.status = 204
        await change_stream(
            self.auditing.ctx,
            ANA,
            stream.account_id,
            stream.id,
            wanted=WantedStream(enabled=True),
            precondition=None,
        )

    async def pauses(self) -> int:
        """How often the audit log tells that the stream was paused."""
        rows = [json.loads(row["event"]) for row in await self.auditing.all("journal")]
        return sum(row["type"] == "audit.log_stream.paused.v1" for row in rows)


@pytest.mark.timeout(3600)
@pytest.mark.rule("Rp14")
async def test_a_sender_of_streams_that_dies_at_any_step_loses_nothing(
    auditing: Auditing, mongo_url: str, tmp_path: Path, report: Callable[[str], None]
) -> None:
    runs = StreamRuns(auditing, mongo_url, tmp_path)
    streaming, kills, pauses = runs.streaming, runs.kills, 0
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        for story in [*Story] * ROUNDS:
            for step in kills.steps():
                records, tests = len(receiver.taken_ids), receiver.tests
                ids = await runs.prepare(story, stream, receiver)
                name = await runs.die_at(step)
                whole = name is None and story is not Story.GONE
                assert receiver.taken_ids[records:] == ids or not whole
                if story is Story.GONE:
                    await runs.resume(stream, receiver)
                    pauses += 1
                await runs.look()

                batches = 1 + (name == BATCH_ANSWERED and story is not Story.GONE)
                sent_tests = (1 + (name == TEST_ANSWERED)) * (story is Story.TEST)
                assert receiver.taken_ids[records:] == ids * batches, name
                assert receiver.tests - tests == sent_tests, name
                if name is None:
                    break
                kills.doubles[name] += batches - 1 + max(sent_tests - 1, 0)
        stored = await streaming.stored(stream)
        assert (stored.size, stored.last) == (len(streaming.written), streaming.written[-1])
        assert (stored.test_due, stored.problem) == (False, None)
        assert list(dict.fromkeys(receiver.taken_ids)) == streaming.written
        assert await runs.pauses() == pauses
    report(kill_table("sender of streams killed", kills.died, doubles=kills.doubles))
