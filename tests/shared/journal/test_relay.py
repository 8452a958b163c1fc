"""The relay: each committed row reaches the bus, also after the bus was away."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from shared import context, metrics
from shared.auth.row_signatures import SignedRow
from shared.bus import BusMessage, BusUnavailable, Verdict
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.facts import Fact
from shared.contracts.topology import AUDIT
from shared.elections import ELECTION_TERM, Election
from shared.journal import Journal, JournalWrite
from shared.journal.relay import Relay
from shared.mongo import Database, DatabaseAway, DbClient
from tests.clocks import SetClock
from tests.shared.journal.conftest import CALLER, project_created
from tests.support.journal_keys import signer
from tests.support.metrics import value_of
from tests.support.round_trips import ROUND_TRIPS, new_trace
from tests.waiting import wait_for


class Later(SystemClock):
    """A clock that is ahead, so that rows are old enough to be swept."""

    def __init__(self, *, seconds: int) -> None:
        self.ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self.ahead


class AwayBus(LocalBus):
    """A bus that is away until `back` is set."""

    back = False

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        if not self.back:
            raise BusUnavailable("away")
        await super().publish(messages)


class RelayOfAnAbsentDatabase(Relay):
    """A relay whose database is away until `back` is set."""

    back = False

    async def sweep_once(self) -> int:
        if not self.back:
            raise DatabaseAway("away")
        return await super().sweep_once()


@asynccontextmanager
async def running(relay: Relay):
    task = asyncio.create_task(relay.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def heard_by(bus: LocalBus) -> list[tuple[int, str]]:
    heard: list[tuple[int, str]] = []

    async def hear(message: BusMessage) -> Verdict:
        heard.append((message.seq, message.id))
        return Verdict.ACK

    async def resync() -> None:
        return

    await bus.subscribe(AUDIT, hear, on_resync=resync)
    return heard


async def record(journal: Journal, number: int) -> None:
    async def change(write: JournalWrite) -> None:
        write.record(project_created(number))

    await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)


async def unsent(database: Database) -> int:
    return await database["journal"].count_documents({"sent": False})


async def test_a_committed_row_is_published_at_once_and_marked(
    journal: Journal, relay: Relay, bus: LocalBus, database: Database
) -> None:
    heard = await heard_by(bus)
    async with running(relay):
        await record(journal, 1)
        await wait_for(lambda: heard, what="the row on the bus")

        async def marked() -> bool:
            return await unsent(database) == 0

        await wait_for(marked, what="the row marked as sent")


def unawaited(number: int) -> Fact:
    """A fact that changes no decision."""
    return replace(project_created(number), policy_objects=())


class PublishedTogether(LocalBus):
    """Remembers which messages were published together."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[list[int]] = []
        self.traces: list[str] = []

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        self.published.append([message.seq for message in messages])
        self.traces += [message.traceparent for message in messages]
        await super().publish(messages)


async def committed(database: Database, client: DbClient, *facts: Fact) -> list[list[SignedRow]]:
    """Commit each fact in a write of its own; the rows of each write, which no relay publishes."""
    kept = Kept()
    journal = Journal(
        client,
        database,
        source="team",
        signer=signer("team"),
        relay=kept,  # type: ignore[arg-type]
        clock=SystemClock(),
    )
    await journal.start()
    for fact in facts:

        async def change(write: JournalWrite, fact: Fact = fact) -> None:
            write.record(fact)

        await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)
    return kept.writes


class Kept:
    """Keeps what a relay would publish."""

    def __init__(self) -> None:
        self.writes: list[list[SignedRow]] = []

    def publish_soon(self, committed: list[SignedRow]) -> None:
        self.writes.append(committed)


async def test_rows_that_no_answer_waits_for_are_published_together(
    client: DbClient, database: Database
) -> None:
    bus = PublishedTogether()
    await heard_by(bus)
    relay = Relay(database, bus, holder="tests", clock=SystemClock(), gather_seconds=0.5)
    writes = await committed(database, client, *map(unawaited, range(3)))
    async with running(relay):
        for rows, traceparent in zip(writes, ("a", None, "b"), strict=True):
            token = context.traceparent.set(traceparent)
            relay.publish_soon(rows)
            context.traceparent.reset(token)
            await asyncio.sleep(0)
        await wait_for(lambda: bus.published, what="the rows on the bus")
        assert bus.published == [[1, 2, 3]]
        assert bus.traces == ["a", "", "b"], "each row has the trace of its own request"
    await bus.close()


async def test_a_row_of_a_decision_takes_the_waiting_ones_along_at_once(
    client: DbClient, database: Database
) -> None:
    bus = PublishedTogether()
    await heard_by(bus)
    relay = Relay(database, bus, holder="tests", clock=SystemClock(), gather_seconds=3600)
    waiting, awaited, last = await committed(
        database, client, unawaited(1), project_created(2), unawaited(3)
    )
    async with running(relay):
        relay.publish_soon(waiting)
        await asyncio.sleep(0.05)
        assert bus.published == []
        relay.publish_soon(awaited)
        await wait_for(lambda: bus.published, what="the rows on the bus")
        relay.publish_soon(last)
        await asyncio.sleep(0.05)
        assert bus.published == [[1, 2]]
    await bus.close()


async def test_rows_are_marked_while_others_arrive_without_a_pause(
    journal: Journal, relay: Relay, bus: LocalBus, database: Database
) -> None:
    await heard_by(bus)
    numbers = count()

    async def marked() -> bool:
        await record(journal, next(numbers))
        return await database["journal"].count_documents({"sent": True}) > 0

    async with running(relay):
        await wait_for(marked, what="the first rows marked as sent")


async def test_rows_of_several_shards_are_marked_in_one_statement(
    journal: Journal, relay: Relay, bus: LocalBus, database: Database
) -> None:
    heard = await heard_by(bus)
    for number in range(6):

        async def change(write: JournalWrite, number: int = number) -> None:
            write.record(project_created(number))

        await journal.write(f"acc_{number}", change, caller=CALLER, effective_everywhere=False)
    trace = new_trace()
    context.traceparent.set(trace)

    async def marked() -> bool:
        return await unsent(database) == 0

    async with running(relay):
        await wait_for(marked, what="the rows marked as sent")
    assert len({message_id for _, message_id in heard}) == 6
    assert [str(made) for made in ROUND_TRIPS.of[trace]].count("update journal") == 1


async def test_rows_committed_without_the_bus_are_swept_when_it_returns(
    client: DbClient, database: Database
) -> None:
    bus = AwayBus()
    relay = Relay(database, bus, holder="one", clock=Later(seconds=5))
    journal = Journal(
        client, database, source="team", signer=signer("team"), relay=relay, clock=SystemClock()
    )
    await journal.start()
    heard = await heard_by(bus)
    async with running(relay):
        await record(journal, 1)
        await record(journal, 2)
        assert await relay.sweep_once() == 2
        assert await unsent(database) == 2
        bus.back = True
        assert await relay.sweep_once() == 2

    assert [seq for seq, _ in heard] == [1, 2]
    assert await unsent(database) == 0
    await bus.close()


async def test_a_metric_shows_how_many_rows_wait_for_the_bus(
    client: DbClient, database: Database
) -> None:
    bus = AwayBus()
    relay = Relay(database, bus, holder="one", clock=Later(seconds=5))
    journal = Journal(
        client, database, source="team", signer=signer("team"), relay=relay, clock=SystemClock()
    )
    await journal.start()
    await heard_by(bus)
    await record(journal, 1)
    await record(journal, 2)
    context.service.set("watched")

    def waiting() -> float | None:
        return metrics.REGISTRY.get_sample_value(
            "rolecall_journal_unsent_rows", {"service": "watched"}
        )

    def oldest() -> float:
        return value_of("rolecall_journal_unsent_seconds", service="watched")

    sweeping = asyncio.create_task(relay.sweep())
    await wait_for(lambda: waiting() == 2, what="two rows to be seen waiting")
    assert 5 <= oldest() < 60
    bus.back = True
    await wait_for(lambda: waiting() == 0, what="the rows to be gone")
    assert oldest() == 0
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    await bus.close()


async def test_a_process_that_died_before_publishing_loses_nothing(
    client: DbClient, database: Database, bus: LocalBus
) -> None:
    dead = Relay(database, bus, holder="dead", clock=SystemClock())
    journal = Journal(
        client, database, source="team", signer=signer("team"), relay=dead, clock=SystemClock()
    )
    await journal.start()
    heard = await heard_by(bus)
    await record(journal, 1)  # its relay never runs: the process is dead

    successor = Relay(database, bus, holder="successor", clock=Later(seconds=5))

    assert await successor.sweep_once() == 1
    assert len(heard) == 1


async def test_one_of_two_replicas_is_elected_and_a_dead_ones_term_ends(
    database: Database,
) -> None:
    clock = SetClock()
    first, second, third = (
        Election(database, "sweeper", holder=holder, clock=clock)
        for holder in ("first", "second", "third")
    )
    other_office = Election(database, "sealer", holder="second", clock=clock)

    assert await first.won()
    assert not await second.won()
    assert await other_office.won()
    assert await first.won()
    clock.move(60)
    assert await third.won()
    assert not await first.won()


async def test_of_replicas_that_stand_at_once_one_is_elected(database: Database) -> None:
    clock = SetClock()
    replicas = [
        Election(database, "sweeper", holder=f"replica {number}", clock=clock)
        for number in range(8)
    ]
    for _ in range(2):
        won = await asyncio.gather(*(each.won() for each in replicas))
        assert won.count(True) == 1, "at first, and when the term of the elected one is over"
        clock.move(60)


async def test_an_elected_replica_prolongs_its_term_in_time(database: Database) -> None:
    clock = SetClock()
    elected, other = (
        Election(database, "sweeper", holder=holder, clock=clock) for holder in ("one", "two")
    )
    for _ in range(4):
        assert await elected.won()
        clock.move(ELECTION_TERM.total_seconds() * 0.6)
        assert not await other.won()
    clock.move(ELECTION_TERM.total_seconds() * 0.4)
    assert await other.won()
    assert not await elected.won()


async def test_an_elected_replica_asks_the_database_once_in_half_a_term(database: Database) -> None:
    clock, trace = SetClock(), new_trace()
    context.traceparent.set(trace)
    elected = Election(database, "sweeper", holder="one", clock=clock)
    assert await elected.won()
    asked = len(ROUND_TRIPS.of[trace])
    for _ in range(4):
        clock.move(1)
        assert await elected.won()
    assert len(ROUND_TRIPS.of[trace]) == asked
    clock.move(1)
    assert await elected.won()
    assert len(ROUND_TRIPS.of[trace]) > asked


async def test_a_replica_whose_clock_is_set_back_asks_who_is_elected(database: Database) -> None:
    clock, ahead = SetClock(), SetClock()
    former, elected = (
        Election(database, "sweeper", holder=holder, clock=own)
        for holder, own in (("former", clock), ("elected", ahead))
    )
    assert await former.won()
    ahead.move(60)
    assert await elected.won()
    clock.move(-60)
    assert not await former.won()


async def test_an_absent_database_does_not_end_the_sweeps(
    database: Database, bus: LocalBus, caplog: pytest.LogCaptureFixture
) -> None:
    relay = RelayOfAnAbsentDatabase(database, bus, holder="one", clock=SystemClock())
    sweeping = asyncio.create_task(relay.sweep())
    try:
        await wait_for(lambda: caplog.messages or sweeping.done(), what="a warning")
        assert not relay.database.answers
        relay.back = True
        await wait_for(lambda: relay.database.answers or sweeping.done(), what="a sweep")
        assert not sweeping.done()
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
    [line] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert line.exc_info is None
    assert line.getMessage() == "The database is away."
    assert (vars(line)["effect"], vars(line)["error"]) == ("Unsent rows wait.", "away")
