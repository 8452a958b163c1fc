"""External ids in the history: whom one named at a past time, and never whom it names now."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.contracts.refusals import HistoryUnavailable
from shared.contracts.team import ProjectCreated
from shared.indexes import build_indexes
from shared.journal import HISTORY, INDEXES, PAST_NAMES, History, begin_epoch
from tests.lengths import SEED, length
from tests.shared.journal.test_history import ACCOUNTS, NOON, SECOND, SHARD, Site

if TYPE_CHECKING:
    from shared.journal.relay import Relay
    from shared.mongo import Database, DbClient

ANN, BOB, CY = "usr_ann", "usr_bob", "usr_cy"
HERE, ELSEWHERE = ACCOUNTS[:2]


@pytest.fixture
async def site(client: DbClient, database: Database, relay: Relay) -> Site:
    made = Site(client, database, relay)
    await build_indexes(database, *INDEXES, *HISTORY, *PAST_NAMES)
    await made.journal.start()
    return made


def named(user_id: str, external_id: str | None, account_id: str = HERE) -> Fact:
    """A change of a membership; without an external id, it has ended."""
    state = {"membership_id": "mem_1", "role": "viewer", "status": "active"}
    return Fact(
        payload=ProjectCreated(project_id="prj_1", name="Project"),
        resource=ResourceRef(type="member", id=user_id, name=user_id),
        account_id=account_id,
        policy_objects=(
            PolicyObject(
                kind=PolicyObjectKind.MEMBER,
                id=user_id,
                account_id=account_id,
                state=external_id and state | {"external_id": external_id},
            ),
        ),
    )


async def note_as_an_earlier_version(site: Site) -> None:
    """Leave the history as a version without external ids notes it."""
    await site.history.derive(SHARD)
    await site.database["history"].update_many({"shard": SHARD}, {"$unset": {"called": ""}})
    await site.database["history_marks"].update_one({"_id": SHARD}, {"$unset": {"named": ""}})


@pytest.mark.rule("B15", "T34")
async def test_an_external_id_names_who_had_it_then(site: Site) -> None:
    rng = random.Random(SEED)
    had: dict[str, dict[str, str | None]] = {HERE: {}, ELSEWHERE: {}}
    then = []
    for _ in range(length("NAMED_CHANGES", short=30, soak=600)):
        account_id, user_id = rng.choice([HERE, HERE, ELSEWHERE]), rng.choice([ANN, BOB, CY])
        name = rng.choice(["emp-7", "emp-8", "emp", None])
        await site.write(named(user_id, name, account_id))
        had[account_id][user_id] = name
        then.append((site.clock.now(), {each: dict(had[each]) for each in had}))
        site.clock.move(1)
        if rng.random() < 0.2:
            await note_as_an_earlier_version(site)
    found = set()
    for at, known in then:
        for account_id, name in ((HERE, "emp-7"), (HERE, "emp"), (ELSEWHERE, "emp-8")):
            users = sorted(user for user, one in known[account_id].items() if one == name)
            bearers = await site.history.bearers(account_id, name, at)
            assert bearers == tuple(users[:2]), (at, name)
            found.add(len(bearers))
    assert found == {0, 1, 2}
    assert await site.history.bearers(HERE, "emp-7", NOON - SECOND) == ()


async def test_names_are_known_after_their_rows_have_left_the_journal(site: Site) -> None:
    await site.write(named(ANN, "emp-7"))
    then = site.clock.now()
    site.clock.move(1)
    await site.write(named(ANN, None))
    await note_as_an_earlier_version(site)
    await site.history._archive.add(await site.rows())
    await site.database["journal"].delete_many({})
    assert await site.history.bearers(HERE, "emp-7", then) == (ANN,)
    assert await site.history.bearers(HERE, "emp-7", site.clock.now()) == ()


async def test_no_one_is_named_at_a_time_that_is_forgotten(site: Site) -> None:
    history = History(site.database, kept=timedelta(days=30))
    await site.write(named(ANN, "emp-7"))
    then = site.clock.now()
    site.clock.move(1)
    await site.write(named(ANN, None), named(BOB, "emp-7"))
    since = site.clock.now()
    site.clock.move(31 * 24 * 3600)
    await history.derive(SHARD)
    await history.forget(SHARD, until=3, now=site.clock.now())
    with pytest.raises(HistoryUnavailable):
        await history.bearers(HERE, "emp-7", then)
    assert await history.bearers(HERE, "emp-7", since) == (BOB,)
    assert (
        await site.database["history"].count_documents({"shard": SHARD, "called": f"{HERE}/emp-7"})
        == 1
    )


async def test_a_history_without_its_beginning_names_no_one(site: Site) -> None:
    await site.write(named(ANN, "emp-7"))
    await begin_epoch(site.database, at=site.clock.now())
    await site.journal.start()
    await site.write(named(BOB, "emp-7"))
    with pytest.raises(HistoryUnavailable):
        await site.history.bearers(HERE, "emp-7", site.clock.now())
