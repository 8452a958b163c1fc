"""Facts that could not be applied: a replay has one effect, a drop has none."""

import asyncio
from typing import cast

import pytest

from shared.contracts.facts import Actor, Caller, RequestInfo, Row
from shared.contracts.team import ProjectCreated
from shared.inbox import AppliedMark, Inbox
from shared.inbox.dead_facts import FactOfFormerEpoch, FactStillFails, FactWasReplayed
from shared.journal import Journal
from shared.mongo import DbClient
from shared.problems import NotFound, Unavailable
from tests.shared.inbox.conftest import Effects, JournalCalls, MakeInbox, journal_in, remember
from tests.shared.inbox.test_inbox import SHARD, record_facts

OPERATOR = Caller(
    actor=Actor(type="operator", id="admin-1", name="Zoë"),
    request=RequestInfo(request_id="req_1"),
)


@pytest.fixture
async def dead_id(make_inbox: MakeInbox, journal: Journal, effects: Effects) -> str:
    """The second of three facts was put aside."""
    inbox = make_inbox()
    await record_facts(journal, range(3))
    effects.fails["prj_1"] = LookupError("poison")
    for _ in range(6):
        await inbox.reconcile("team")
    (fact,) = await inbox.dead.page(after=None, limit=10)
    assert (fact.row.resource.id, fact.error) == ("prj_1", "LookupError('poison')")
    assert await inbox.dead.count() == 1
    return fact.id


@pytest.fixture
async def own(client: DbClient, database_name: str) -> Journal:
    """The journal of the service that has put the fact aside."""
    return await journal_in(client, database_name, source="audit")


async def replay(inbox: Inbox, own: Journal, dead_id: str) -> None:
    await inbox.dead.replay(dead_id, journal=own, caller=OPERATOR)


async def drop(inbox: Inbox, own: Journal, dead_id: str) -> None:
    await inbox.dead.drop(dead_id, journal=own, caller=OPERATOR)


async def recorded(own: Journal) -> list[tuple[str, str | None, str]]:
    """What the journal of the service says: type, operator, and the fact that it is about."""
    rows = [one.row for one in await own.changes(SHARD, after=0, limit=10)]
    assert {row.account_id for row in rows} <= {"acc_1"}
    return [(row.type, row.actor.name, row.data["fact_type"]) for row in rows]


async def listed(inbox: Inbox) -> list[str]:
    return [fact.id for fact in await inbox.dead.page(after=None, limit=10)]


async def test_a_replay_applies_the_fact_and_forgets_that_it_failed(
    make_inbox: MakeInbox, effects: Effects, own: Journal, dead_id: str
) -> None:
    effects.fails.clear()
    inbox = make_inbox()
    await replay(inbox, own, dead_id)
    assert await effects.saw() == ["Project 0", "Project 1", "Project 2"]
    assert await listed(inbox) == []
    with pytest.raises(NotFound):
        await replay(inbox, own, dead_id)
    assert await recorded(own) == [("audit.dead_fact.replayed.v1", "Zoë", ProjectCreated.type)]


async def test_a_fact_that_fails_again_stays_and_can_be_applied_later(
    make_inbox: MakeInbox, effects: Effects, own: Journal, dead_id: str
) -> None:
    inbox = make_inbox()
    effects.fails["prj_1"] = ValueError("another")
    with pytest.raises(FactStillFails):
        await replay(inbox, own, dead_id)
    (fact,) = await inbox.dead.page(after=None, limit=10)
    assert fact.error == "ValueError('another')"
    assert await recorded(own) == []
    assert await effects.saw() == ["Project 0", "Project 2"]
    effects.fails.clear()
    await inbox.reconcile("team")
    await replay(inbox, own, dead_id)
    assert await effects.saw() == ["Project 0", "Project 1", "Project 2"]
    assert await listed(inbox) == []


async def test_replays_at_once_and_by_several_replicas_have_one_effect(
    make_inbox: MakeInbox, effects: Effects, own: Journal, dead_id: str
) -> None:
    effects.fails.clear()
    replays = [replay(make_inbox(), own, dead_id) for _ in range(6)]
    ended = await asyncio.gather(*replays, return_exceptions=True)
    assert all(isinstance(one, NotFound) for one in ended if isinstance(one, BaseException))
    assert await effects.saw() == ["Project 0", "Project 1", "Project 2"]
    assert await listed(make_inbox()) == []
    assert len(await recorded(own)) == 1, "one of them ended it"


async def test_a_replay_that_was_cut_off_after_the_effect_is_finished(
    make_inbox: MakeInbox,
    effects: Effects,
    own: Journal,
    dead_id: str,
    client: DbClient,
    database_name: str,
) -> None:
    dead = client[database_name]["inbox_dead"]
    before = await dead.find_one({"_id": dead_id})
    assert before is not None
    effects.fails.clear()
    await replay(make_inbox(), own, dead_id)
    await dead.insert_one({**before, "applied": True})
    await replay(make_inbox(), own, dead_id)
    assert await effects.saw() == ["Project 0", "Project 1", "Project 2"]
    assert await listed(make_inbox()) == []


class Away:
    """The journal of a service whose database is away."""

    source = "audit"

    async def write(self, *_: object, **__: object) -> None:
        raise Unavailable


async def test_a_fact_that_a_replay_has_passed_over_is_not_dropped(
    make_inbox: MakeInbox, own: Journal, dead_id: str
) -> None:
    """The subscriber had nothing to do with it, and the replay was cut off after that."""

    async def ignores(*_: object) -> None:
        return

    inbox = make_inbox({ProjectCreated.type: ignores})
    with pytest.raises(Unavailable):
        await replay(inbox, cast("Journal", Away()), dead_id)
    with pytest.raises(FactWasReplayed):
        await drop(inbox, own, dead_id)
    await replay(inbox, own, dead_id)
    assert await listed(inbox) == []


async def test_an_outage_during_a_replay_leaves_the_fact_as_it_is(
    make_inbox: MakeInbox, effects: Effects, own: Journal, dead_id: str
) -> None:
    effects.fails["prj_1"] = Unavailable()
    inbox = make_inbox({"*": remember})
    with pytest.raises(Unavailable):
        await replay(inbox, own, dead_id)
    (fact,) = await inbox.dead.page(after=None, limit=10)
    assert fact.error == "LookupError('poison')"
    assert await inbox.dead.page(after=fact.id, limit=10) == []
    effects.fails.clear()
    await replay(inbox, own, dead_id)
    assert await effects.saw() == ["Project 0", "Project 1", "Project 2"]


async def test_a_dropped_fact_has_no_effect_and_counts_as_applied(
    make_inbox: MakeInbox, effects: Effects, own: Journal, dead_id: str
) -> None:
    effects.fails.clear()
    inbox = make_inbox()
    await drop(inbox, own, dead_id)
    await inbox.reconcile("team")
    assert await effects.saw() == ["Project 0", "Project 2"]
    assert await listed(inbox) == []
    assert await recorded(own) == [("audit.dead_fact.dropped.v1", "Zoë", ProjectCreated.type)]


async def test_a_fact_dropped_after_a_failed_replay_has_no_effect_later(
    make_inbox: MakeInbox, effects: Effects, own: Journal, dead_id: str
) -> None:
    inbox = make_inbox()
    with pytest.raises(FactStillFails):
        await replay(inbox, own, dead_id)
    await drop(inbox, own, dead_id)
    effects.fails.clear()
    for _ in range(2):
        await make_inbox().reconcile("team")
    assert await effects.saw() == ["Project 0", "Project 2"]
    assert await listed(inbox) == []


@pytest.mark.parametrize("dropped_first", [True, False])
async def test_a_replay_and_a_drop_at_once_exclude_each_other(
    make_inbox: MakeInbox, effects: Effects, own: Journal, dead_id: str, *, dropped_first: bool
) -> None:
    """The drop comes while the subscriber works: before its transaction, or after its commit."""

    async def with_drop(ctx: Effects, row: Row, applied_mark: AppliedMark) -> None:
        if not dropped_first:
            await remember(ctx, row, applied_mark)
            with pytest.raises(FactWasReplayed):
                await drop(inbox, own, dead_id)
            return
        await drop(inbox, own, dead_id)
        await remember(ctx, row, applied_mark)

    effects.fails.clear()
    inbox = make_inbox({ProjectCreated.type: with_drop})
    [ended] = await asyncio.gather(replay(inbox, own, dead_id), return_exceptions=True)
    await make_inbox().reconcile("team")
    applied = [] if dropped_first else ["Project 1"]
    assert isinstance(ended, NotFound) == dropped_first
    assert await effects.saw() == sorted(["Project 0", "Project 2", *applied])
    assert await listed(inbox) == []
    word = "dropped" if dropped_first else "replayed"
    assert [one[0] for one in await recorded(own)] == [f"audit.dead_fact.{word}.v1"]


async def test_a_fact_that_was_altered_in_the_database_is_not_applied(
    make_inbox: MakeInbox,
    effects: Effects,
    own: Journal,
    dead_id: str,
    client: DbClient,
    database_name: str,
) -> None:
    dead = client[database_name]["inbox_dead"]
    stored = await dead.find_one({"_id": dead_id})
    assert stored is not None
    event = stored["event"].replace("Project 1", "Project 9")
    await dead.update_one({"_id": dead_id}, {"$set": {"event": event}})
    effects.fails.clear()
    with pytest.raises(FactStillFails):
        await replay(make_inbox(), own, dead_id)
    assert await effects.saw() == ["Project 0", "Project 2"]


async def test_a_fact_of_a_lost_history_is_not_applied(
    make_inbox: MakeInbox, effects: Effects, own: Journal, dead_id: str, calls: JournalCalls
) -> None:
    effects.fails.clear()
    heads = await calls.journal.heads()
    calls.heads = heads._replace(epoch="another", seqs={}, digests={})
    inbox = make_inbox()
    await inbox.reconcile("team")
    with pytest.raises(FactOfFormerEpoch):
        await replay(inbox, own, dead_id)
    assert await effects.saw() == ["Project 0", "Project 2"]
