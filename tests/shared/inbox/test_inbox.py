"""The inbox: each fact has one effect, even if the bus repeats or loses it."""

import asyncio

import pytest

from shared import context, metrics
from shared.auth.row_signatures import SignedRow
from shared.bus import BusMessage, Verdict
from shared.contracts.facts import Actor, Row, shard_of
from shared.contracts.team import ProjectCreated
from shared.inbox import AppliedMark, caller_for
from shared.inbox.marks import Marks
from shared.inbox.reconciler import Reconciler
from shared.journal import Journal, JournalWrite, rows
from shared.mongo import AlreadyThere, DbClient, DbSession, insert_once, transact
from shared.problems import Unavailable
from shared.row_verifier import Channel
from tests.clocks import SetClock
from tests.services.rows import row_of
from tests.shared.inbox.conftest import Effects, JournalCalls, MakeInbox, journal_in, remember
from tests.shared.journal.conftest import CALLER, project_created
from tests.support.journal_keys import signer, verifier

SHARD = shard_of("acc_1")


async def record_facts(journal: Journal, numbers: range) -> list[BusMessage]:
    for number in numbers:

        async def change(write: JournalWrite, number: int = number) -> None:
            write.record(project_created(number))

        await journal.write("acc_1", change, caller=CALLER, effective_everywhere=False)
    page = await journal.changes(SHARD, after=0, limit=1000)
    return [rows.message(signed) for signed in page]


async def test_a_message_delivered_twice_and_ten_times_at_once_has_one_effect(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    inbox = make_inbox()
    [message] = await record_facts(journal, range(1))

    verdicts = [await inbox.handle(message), await inbox.handle(message)]
    verdicts += await asyncio.gather(*(inbox.handle(message) for _ in range(10)))

    assert set(verdicts) == {Verdict.ACK}
    assert await effects.saw() == ["Project 0"]


async def test_messages_in_any_order_have_all_their_effects(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    inbox = make_inbox()
    for message in reversed(await record_facts(journal, range(5))):
        await inbox.handle(message)

    await inbox.reconcile("team")

    assert await effects.saw() == [f"Project {number}" for number in range(5)]
    assert effects.calls == 5


async def test_only_the_messages_that_did_not_come_are_fetched(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    inbox = make_inbox()
    messages = await record_facts(journal, range(6))
    for message in (messages[1], messages[4]):
        await inbox.handle(message)

    assert inbox.complete_until is None
    await inbox.reconcile("team")

    assert await effects.saw() == [f"Project {number}" for number in range(6)]
    assert effects.calls == 6
    assert inbox.complete_until is not None


async def test_a_duplicate_key_in_a_subscriber_does_not_count_as_applied(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    """Only the fact's own receipt says that it was here before."""

    async def meets(ctx: Effects, row: Row, applied_mark: AppliedMark) -> None:
        ctx.calls += 1
        if ctx.calls == 1:
            raise AlreadyThere("names")
        await remember(ctx, row, applied_mark)

    inbox = make_inbox({ProjectCreated.type: meets})
    await record_facts(journal, range(1))
    await inbox.reconcile("team")
    assert await effects.saw() == []
    await inbox.reconcile("team")
    assert await effects.saw() == ["Project 0"]


async def test_a_row_that_two_replicas_put_aside_at_once_is_put_aside(
    calls: JournalCalls, journal: Journal, client: DbClient, database_name: str
) -> None:
    await record_facts(journal, range(1))
    [signed] = await journal.changes(SHARD, after=0, limit=1)

    async def apply(signed: SignedRow, channel: Channel) -> None:
        raise ValueError(signed.row.id)

    def reconciler() -> Reconciler:
        return Reconciler(
            client,
            client[database_name],
            sources=("team",),
            marks=Marks(client[database_name], verifier()),
            internal=calls,  # type: ignore[arg-type]
            verifier=verifier(),
            apply=apply,
            clock=SetClock(),
        )

    await asyncio.gather(*(reconciler().put_aside(signed, ValueError("no")) for _ in range(2)))
    assert await client[database_name]["inbox_dead"].count_documents({}) == 1


async def test_facts_of_an_open_transaction_are_not_yet_complete(
    make_inbox: MakeInbox, journal: Journal
) -> None:
    inbox = make_inbox(clock=(ours := SetClock()))
    journal._clock = SetClock()
    opened, compared = asyncio.Event(), asyncio.Event()

    async def slow(write: JournalWrite) -> None:
        opened.set()
        await compared.wait()
        write.record(project_created(1))

    writing = asyncio.create_task(
        journal.write("acc_1", slow, caller=CALLER, effective_everywhere=False)
    )
    await opened.wait()
    ours.move(9.9)  # five seconds of an open transaction, and clocks that differ
    await inbox.reconcile("team")
    compared.set()
    await writing

    [told_late] = await journal.changes(SHARD, after=0, limit=10)
    assert inbox.complete_until is not None
    assert told_late.row.occurred_at >= inbox.complete_until


async def test_a_late_message_that_a_mark_covers_changes_nothing(
    make_inbox: MakeInbox, journal: Journal, effects: Effects, client: DbClient, database_name: str
) -> None:
    inbox = make_inbox()
    messages = await record_facts(journal, range(3))
    await inbox.reconcile("team")
    # Marks are deleted after an hour.
    await client[database_name]["inbox"].delete_many({})

    for message in messages:
        await inbox.handle(message)

    assert effects.calls == 3


async def test_a_restarted_service_goes_on_where_its_marks_say(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    await record_facts(journal, range(3))
    first = make_inbox()
    await first.start()
    await first.reconcile("team")
    await first.stop()
    [*_, last] = await record_facts(journal, range(3, 4))

    second = make_inbox()
    await second.start()
    await second.handle(last)
    await second.reconcile("team")
    await second.stop()

    assert await effects.saw() == [f"Project {number}" for number in range(4)]
    assert effects.calls == 4


async def test_what_failed_because_something_was_away_is_applied_when_it_is_back(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    inbox = make_inbox()
    [message] = await record_facts(journal, range(1))
    effects.fails["prj_0"] = Unavailable()

    assert await inbox.handle(message) is Verdict.ACK
    with pytest.raises(Unavailable):
        await inbox.reconcile("team")
    effects.fails.clear()
    await inbox.reconcile("team")

    assert await effects.saw() == ["Project 0"]


async def test_a_row_that_always_fails_is_put_aside_and_the_others_go_on(
    make_inbox: MakeInbox, journal: Journal, effects: Effects, client: DbClient, database_name: str
) -> None:
    inbox = make_inbox()
    await record_facts(journal, range(3))
    effects.fails["prj_1"] = LookupError("poison")
    context.service.set("listening")

    for _ in range(6):
        await inbox.reconcile("team")

    aside = [entry async for entry in client[database_name]["inbox_dead"].find({})]
    assert await effects.saw() == ["Project 0", "Project 2"]
    assert [entry["error"] for entry in aside] == ["LookupError('poison')"]
    labels = {"service": "listening", "source": "team"}
    assert metrics.REGISTRY.get_sample_value("rolecall_inbox_put_aside_total", labels) == 1
    assert inbox.complete_until is not None


async def test_a_row_that_is_put_aside_is_kept_as_it_was_signed(
    make_inbox: MakeInbox, journal: Journal, effects: Effects, client: DbClient, database_name: str
) -> None:
    inbox, database = make_inbox(), client[database_name]
    await record_facts(journal, range(1))
    effects.fails["prj_0"] = LookupError("poison")
    for _ in range(6):
        await inbox.reconcile("team")

    [signed] = await journal.changes(SHARD, after=0, limit=1)
    [aside] = [entry async for entry in database["inbox_dead"].find({})]
    [mark] = [entry async for entry in database["inbox"].find({})]
    assert (aside["event"].encode(), aside["signature"]) == (signed.event, signed.signature)
    assert mark["digest"] == signed.digest, "another row at its place is an alarm"


async def test_a_row_that_keeps_failing_is_a_retry_for_the_bus(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    inbox = make_inbox()
    [message] = await record_facts(journal, range(1))
    effects.fails["prj_0"] = LookupError("a bug")

    with pytest.raises(LookupError):
        await inbox.handle(message)


async def test_a_message_that_is_not_a_fact_is_dead(make_inbox: MakeInbox) -> None:
    message = BusMessage(
        id="evt_1",
        type="team.x.y.v1",
        source="team",
        epoch="e",
        shard=0,
        seq=1,
        body=b"{}",
        signature=signer("team").signature(b"{}"),
    )

    assert await make_inbox().handle(message) is Verdict.DEAD


async def test_types_without_a_subscriber_count_as_applied(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    inbox = make_inbox({"team.other.happened.v1": remember})
    for message in await record_facts(journal, range(2)):
        assert await inbox.handle(message) is Verdict.ACK
    await inbox.reconcile("team")

    assert effects.calls == 0
    assert inbox.complete_until is not None


async def test_a_subscriber_of_all_types_gets_each_type(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    inbox = make_inbox({"*": remember})
    await record_facts(journal, range(2))

    await inbox.reconcile("team")

    assert await effects.saw() == ["Project 0", "Project 1"]


async def test_a_source_that_is_away_leaves_the_marks_as_they_are(
    make_inbox: MakeInbox, journal: Journal, calls: JournalCalls
) -> None:
    inbox = make_inbox()
    calls.away = True

    with pytest.raises(Unavailable):
        await inbox.reconcile("team")

    assert inbox.complete_until is None


async def test_a_source_with_another_epoch_is_applied_from_its_beginning(
    make_inbox: MakeInbox,
    journal: Journal,
    calls: JournalCalls,
    effects: Effects,
    client: DbClient,
    database_name,
) -> None:
    inbox = make_inbox()
    await record_facts(journal, range(3))
    await inbox.reconcile("team")
    again = await journal_in(client, f"{database_name}_again")
    calls.journal = again
    await record_facts(again, range(10, 12))

    await inbox.reconcile("team")

    assert await effects.saw() == [
        "Project 0",
        "Project 1",
        "Project 10",
        "Project 11",
        "Project 2",
    ]


async def test_two_replicas_of_one_service_share_their_marks(
    make_inbox: MakeInbox, journal: Journal, effects: Effects
) -> None:
    one, two = make_inbox(), make_inbox()
    await record_facts(journal, range(4))

    await asyncio.gather(one.reconcile("team"), two.reconcile("team"))

    assert await effects.saw() == [f"Project {number}" for number in range(4)]


async def test_the_mark_and_the_effect_are_saved_together_or_not_at_all(
    make_inbox: MakeInbox, journal: Journal, effects: Effects, client: DbClient, database_name: str
) -> None:
    async def fail_after_the_receipt(ctx: Effects, row: Row, applied_mark: AppliedMark) -> None:
        async def work(session: DbSession) -> None:
            await applied_mark(session)
            await insert_once(ctx.names, {"name": "half"}, session)
            raise LookupError("crashed inside")

        await transact(ctx.client, work)

    inbox = make_inbox({ProjectCreated.type: fail_after_the_receipt})
    [message] = await record_facts(journal, range(1))

    with pytest.raises(LookupError):
        await inbox.handle(message)

    assert await effects.saw() == []
    assert await client[database_name]["inbox"].find_one({}) is None


ACTORS = [
    (Actor(type="user", id="usr_ana"), "usr_ana"),
    (Actor(type="service", id="identity", on_behalf_of="usr_ana"), "usr_ana"),
    (Actor(type="service_client", id="cli_1", on_behalf_of="usr_ana"), "usr_ana"),
    (Actor(type="service_client", id="cli_1"), None),
    (Actor(type="service", id="audit"), None),
    (Actor(type="service", id="identity", on_behalf_of="cli_1"), None),
    (Actor(type="operator", id="admin-1"), None),
    (Actor(type="anonymous", id="anonymous"), None),
]


@pytest.mark.parametrize(("actor", "user_id"), ACTORS)
def test_a_service_that_acts_on_a_fact_names_the_user_who_began_it(
    actor: Actor, user_id: str | None
) -> None:
    row = row_of(ProjectCreated(project_id="prj_1", name="prod"), actor=actor)
    caller = caller_for(row, service="team")
    assert caller.actor == Actor(type="service", id="team", on_behalf_of=user_id)
    assert caller.request == row.request
