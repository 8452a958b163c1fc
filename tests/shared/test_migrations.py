"""The runner of migrations and the builder of indexes, on a real database."""

from __future__ import annotations

import asyncio
import importlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from shared.clock import SystemClock
from shared.contracts.topology import SOURCES
from shared.indexes import Index, IndexConflict, build_indexes, drop_step, index_step
from shared.migrations import (
    CannotGoBack,
    Migration,
    MigrationMismatch,
    MigrationsMissing,
    NewerDatabase,
    Phase,
    check_numbers,
    forget_expanded,
    migrate,
    pending_steps,
    require_expanded,
)
from shared.mongo import DatabaseAway, DbClient, IndexModel, connect, create_indexes
from shared.problems import StartRefused
from shared.timeouts import Timeouts
from tests.faults.chaos_proxy import ChaosProxy
from tests.patience import PATIENT
from tests.support.commands import Commands
from tests.support.journal_keys import signer
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.indexes import Step
    from shared.mongo import Database

CLOCK = SystemClock()
LASTING = replace(PATIENT, migration_lock=30.0)
"""No lock of a living holder runs out during a test, however slow the machine is."""
QUICK = replace(PATIENT, migration_lock=1.0)


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[DbClient]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


@pytest.fixture
def database(client: DbClient, database_name: str) -> Database:
    return client[database_name]


class Steps:
    """Steps that count how often each ran; they may wait or fail."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.fails: set[str] = set()
        self.gates: dict[str, asyncio.Event] = {}

    def __call__(self, *names: str) -> tuple[Migration, ...]:
        return tuple(
            Migration(number, name, self._step(name)) for number, name in enumerate(names, 1)
        )

    def _step(self, name: str) -> Any:
        async def run(database: Database) -> None:
            self.ran.append(name)
            if name in self.gates:
                await self.gates[name].wait()
            if name in self.fails:
                raise RuntimeError(name)

        return run


async def recorded(database: Database) -> dict[int, str]:
    found = database["migrations"].find({"_id": {"$type": "int"}})
    return {record["_id"]: record["name"] async for record in found}


async def locks(database: Database) -> int:
    return await database["migrations"].count_documents({"_id": "lock"})


async def test_steps_run_once_in_order_and_are_recorded(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    steps = Steps()
    caplog.set_level(logging.INFO)
    await migrate(database, steps("one", "two"), clock=CLOCK)
    await migrate(database, steps("one", "two"), clock=CLOCK)
    await migrate(database, steps("one", "two", "three"), clock=CLOCK)

    assert steps.ran == ["one", "two", "three"]
    assert await recorded(database) == {1: "one", 2: "two", 3: "three"}
    assert await locks(database) == 0
    assert [record.message for record in caplog.records if "migration" in record.message] == [
        "migration 1 of 2: one",
        "migration 2 of 2: two",
        "migration 3 of 3: three",
    ]
    first = await database["migrations"].find_one({"_id": 1})
    assert first is not None
    assert abs((CLOCK.now() - first["applied_at"].replace(tzinfo=CLOCK.now().tzinfo)).seconds) < 600


async def test_a_new_database_gets_each_index_in_its_last_form_only(database: Database) -> None:
    built = replace(TTL, name="built")
    dropped = replace(TTL, name="dropped", keys=(("gone_at", 1),))
    seen: list[set[str]] = []

    async def look(database: Database) -> None:
        seen.append({entry["name"] for entry in (await indexes_of(database))["things"]})

    steps: tuple[Step, ...] = (
        index_step(built, dropped),
        look,
        drop_step({"things": ["dropped"]}),
        index_step(replace(built, ttl_seconds=30)),
    )
    migrations = [Migration(number, f"step {number}", step) for number, step in enumerate(steps, 1)]
    await migrate(database, migrations, clock=CLOCK)
    assert seen == [{"_id_", "built"}]
    assert (await indexes_of(database))["things"][1]["expireAfterSeconds"] == 30
    assert len(await recorded(database)) == len(steps)

    await database["migrations"].delete_many({})
    await build_indexes(database, dropped)
    await migrate(database, migrations, clock=CLOCK)
    left = {entry["name"] for entry in (await indexes_of(database))["things"]}
    assert left == {"_id_", "built"}, "a database of before the runner is not new"


async def test_of_eight_replicas_that_start_at_once_one_migrates(
    mongo_url: str, database_name: str
) -> None:
    steps = Steps()
    clients = [
        connect(mongo_url, app_name=f"replica-{number}", timeouts=PATIENT) for number in range(8)
    ]
    try:
        await asyncio.gather(
            *(
                migrate(client[database_name], steps("one", "two"), clock=CLOCK, timeouts=PATIENT)
                for client in clients
            )
        )
    finally:
        for client in clients:
            client.close()
    assert steps.ran == ["one", "two"]


async def test_a_replica_waits_while_the_holder_of_the_lock_renews_it(database: Database) -> None:
    steps = Steps()
    steps.gates["one"] = asyncio.Event()
    holder = asyncio.create_task(
        migrate(database, steps("one"), clock=CLOCK, timeouts=Timeouts(migration_lock=4.0))
    )
    await wait_for(lambda: steps.ran == ["one"], what="the holder in its step")
    waiter = asyncio.create_task(
        migrate(database, steps("one"), clock=CLOCK, timeouts=Timeouts(migration_lock=4.0))
    )
    done, _ = await asyncio.wait({waiter}, timeout=9.0)
    assert not done
    assert steps.ran == ["one"]
    steps.gates["one"].set()
    await asyncio.gather(holder, waiter)
    assert steps.ran == ["one"]


async def test_a_killed_holder_is_succeeded_after_one_term(database: Database) -> None:
    steps = Steps()
    await database["migrations"].insert_one(
        {"_id": "lock", "holder": "prc_dead", "term_seconds": 1.0, "renewal": "last"}
    )
    began = CLOCK.boottime()
    await migrate(database, steps("one"), clock=CLOCK, timeouts=QUICK)
    assert CLOCK.boottime() - began >= 1.0
    assert await recorded(database) == {1: "one"}
    assert await locks(database) == 0


async def test_a_holder_that_lost_the_lock_stops_and_records_nothing(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    steps = Steps()
    steps.gates["one"] = asyncio.Event()
    frozen = asyncio.create_task(migrate(database, steps("one"), clock=CLOCK, timeouts=QUICK))
    await wait_for(lambda: steps.ran == ["one"], what="the holder in its step")
    await database["migrations"].update_one(
        {"_id": "lock"},
        {"$set": {"holder": "prc_other", "renewal": "other", "term_seconds": 3600.0}},
    )
    await wait_for(lambda: "prc_other migrates" in caplog.text, what="the holder now waiting")
    assert "lost the lock" in caplog.text
    assert not frozen.done()
    assert await recorded(database) == {}
    steps.gates["one"].set()
    await database["migrations"].delete_one({"_id": "lock"})
    await frozen
    assert steps.ran == ["one", "one"]


async def test_a_failed_step_is_not_recorded_and_tried_at_the_next_start(
    database: Database,
) -> None:
    steps = Steps()
    steps.fails = {"two"}
    with pytest.raises(RuntimeError, match="two"):
        await migrate(database, steps("one", "two", "three"), clock=CLOCK)
    assert await recorded(database) == {1: "one"}
    assert await locks(database) == 0
    steps.fails = set()
    await migrate(database, steps("one", "two", "three"), clock=CLOCK)
    assert steps.ran == ["one", "two", "two", "three"]
    assert await recorded(database) == {1: "one", 2: "two", 3: "three"}


async def test_an_older_version_refuses_a_newer_database(database: Database) -> None:
    steps = Steps()
    await migrate(database, steps("one", "two", "three"), clock=CLOCK)
    with pytest.raises(NewerDatabase, match=r"has migration 3 \(three\), this version knows 2\."):
        await migrate(database, steps("one", "two"), clock=CLOCK)


EXPAND, CONTRACT, REPLACE = Phase.EXPAND, Phase.CONTRACT, Phase.REPLACE


def in_phases(steps: Steps, *phases: Phase) -> tuple[Migration, ...]:
    """Steps that are named by their number, each with its phase."""
    made = steps(*(str(number) for number in range(1, len(phases) + 1)))
    return tuple(replace(step, phase=phase) for step, phase in zip(made, phases, strict=True))


async def test_an_older_version_starts_where_steps_only_expanded(database: Database) -> None:
    steps = in_phases(Steps(), REPLACE, EXPAND, EXPAND)
    await migrate(database, steps, clock=CLOCK)
    await migrate(database, steps[:1], clock=CLOCK)
    await require_expanded(database, steps[:1], clock=CLOCK, service="team")


@pytest.mark.parametrize("phases", [(EXPAND, CONTRACT), (CONTRACT, EXPAND), (REPLACE, EXPAND)])
async def test_an_older_version_refuses_a_form_that_it_cannot_use(
    database: Database, phases: tuple[Phase, ...]
) -> None:
    steps = in_phases(Steps(), REPLACE, *phases)
    await migrate(database, steps, clock=CLOCK)
    number = next(step.number for step in steps[1:] if step.phase is not EXPAND)
    with pytest.raises(NewerDatabase, match=f"has migration {number} "):
        await migrate(database, steps[:1], clock=CLOCK)


@pytest.mark.parametrize(
    ("phases", "applied"),
    [
        ((EXPAND, EXPAND), "23"),
        ((EXPAND, CONTRACT), "2"),
        ((REPLACE, CONTRACT, EXPAND), "24"),
        ((CONTRACT, REPLACE, CONTRACT, EXPAND), "35"),
        ((CONTRACT, CONTRACT), ""),
    ],
)
async def test_what_contracts_waits_until_the_last_old_replica_has_ended(
    database: Database, phases: tuple[Phase, ...], applied: str
) -> None:
    steps = Steps()
    all_steps = in_phases(steps, REPLACE, *phases)
    await database["accounts"].insert_one({"_id": "acc_1"})
    await migrate(database, all_steps[:1], clock=CLOCK)
    await migrate(database, all_steps, clock=CLOCK, contract=False)
    assert "".join(steps.ran) == "1" + applied
    await require_expanded(database, all_steps, clock=CLOCK, service="team")
    left = [step.number for step in await pending_steps(database, all_steps, clock=CLOCK)]
    await migrate(database, all_steps, clock=CLOCK)
    assert "".join(steps.ran) == "1" + applied + "".join(map(str, left))


async def test_steps_that_expanded_are_forgotten_for_a_version_without_phases(
    database: Database,
) -> None:
    steps = Steps()
    all_steps = in_phases(steps, REPLACE, EXPAND, EXPAND, CONTRACT)
    await database["accounts"].insert_one({"_id": "acc_1"})
    await migrate(database, all_steps, clock=CLOCK, contract=False)
    forgotten = await forget_expanded(database, all_steps, after=2)
    assert [step.number for step in forgotten] == [3]
    assert await recorded(database) == {1: "1", 2: "2"}
    await migrate(database, all_steps, clock=CLOCK, contract=False)
    assert "".join(steps.ran) == "1233"


@pytest.mark.parametrize(("phase", "after"), [(CONTRACT, 1), (REPLACE, 1), (CONTRACT, 0)])
async def test_no_way_leads_back_over_a_step_that_took_something_away(
    database: Database, phase: Phase, after: int
) -> None:
    steps = in_phases(Steps(), REPLACE, phase, EXPAND)
    await migrate(database, steps, clock=CLOCK)
    with pytest.raises(CannotGoBack, match="backup"):
        await forget_expanded(database, steps, after=after)
    assert await recorded(database) == {1: "1", 2: "2", 3: "3"}


async def test_a_new_database_gets_every_step_at_once(database: Database) -> None:
    steps = Steps()
    await migrate(database, in_phases(steps, EXPAND, CONTRACT), clock=CLOCK, contract=False)
    assert steps.ran == ["1", "2"]


async def test_a_replica_that_may_not_migrate_names_what_to_run(database: Database) -> None:
    steps = Steps()
    all_steps = in_phases(steps, REPLACE, EXPAND, EXPAND)
    await migrate(database, all_steps[:1], clock=CLOCK)
    with pytest.raises(MigrationsMissing) as refused:
        await require_expanded(database, all_steps, clock=CLOCK, service="team")
    assert "lacks migration 2 (2) and 1 more" in str(refused.value)
    assert "`python -m deploy.migrate team`" in str(refused.value)
    assert "ROLECALL_TEAM_MIGRATE=at-start" in str(refused.value)
    assert steps.ran == ["1"]


async def test_one_number_for_two_different_steps_is_refused(database: Database) -> None:
    steps = Steps()
    await migrate(database, steps("one", "mine"), clock=CLOCK)
    with pytest.raises(MigrationMismatch, match="'mine', this version calls it 'theirs'"):
        await migrate(database, steps("one", "theirs"), clock=CLOCK)


@pytest.mark.parametrize("numbers", [(1, 3), (2, 3), (1, 1), (0, 1), (2, 1)])
def test_numbers_with_a_gap_or_twice_are_refused(numbers: tuple[int, ...]) -> None:
    steps = [Migration(number, f"step {place}", Steps()) for place, number in enumerate(numbers)]  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="numbered"):
        check_numbers(steps)


@pytest.mark.parametrize("service", SOURCES)
async def test_a_services_migrations_can_be_repeated_on_an_older_database(
    service: str, database: Database
) -> None:
    """A database of before the runner has the indexes and no record of them.

    The first run builds only the last forms, the second one step after step.
    """
    module = importlib.import_module(f"services.{service}.migrations")
    migrations = module.migrations(signer(service))
    await migrate(database, migrations, clock=CLOCK)
    before = await indexes_of(database)
    await database["migrations"].delete_many({})
    await migrate(database, migrations, clock=CLOCK)
    assert await indexes_of(database) == before
    assert len(await recorded(database)) == len(migrations)


async def indexes_of(database: Database) -> dict[str, list[dict[str, Any]]]:
    names = await database.list_collection_names()
    return {
        name: sorted(
            [dict(entry) async for entry in database[name].list_indexes()],
            key=lambda entry: str(entry["name"]),
        )
        for name in names
    }


TTL = Index(collection="things", keys=(("at", 1),), name="kept", ttl_seconds=60)


async def test_a_changed_time_to_live_is_applied(database: Database) -> None:
    await build_indexes(database, TTL)
    await build_indexes(database, replace(TTL, ttl_seconds=30))
    [kept] = [i for i in (await indexes_of(database))["things"] if i["name"] == "kept"]
    assert kept["expireAfterSeconds"] == 30


@pytest.mark.parametrize(
    "changed",
    [
        replace(TTL, keys=(("at", -1),)),
        replace(TTL, keys=(("at", 1), ("b", 1))),
        replace(TTL, ttl_seconds=None),
        replace(TTL, unique=True),
        replace(TTL, partial={"open": True}),
        replace(TTL, name="another"),
    ],
)
async def test_a_contradicting_index_is_named_and_left_alone(
    database: Database, changed: Index
) -> None:
    await build_indexes(database, TTL)
    before = await indexes_of(database)
    with pytest.raises(IndexConflict, match=r"kept.*add a migration") as refused:
        await build_indexes(database, changed)
    assert isinstance(refused.value, StartRefused)
    assert f"{database.name}.things" in str(refused.value)
    assert await indexes_of(database) == before


@pytest.mark.parametrize(
    "option", [{"sparse": True}, {"hidden": True}, {"collation": {"locale": "en", "strength": 2}}]
)
async def test_an_index_with_an_undeclared_option_is_a_conflict(
    database: Database, option: dict[str, Any]
) -> None:
    model = IndexModel(list(TTL.keys), name="kept", expireAfterSeconds=60, **option)
    await create_indexes(database["things"], [model])
    with pytest.raises(IndexConflict, match=f"kept.*{next(iter(option))}"):
        await build_indexes(database, TTL)


async def test_the_indexes_of_one_collection_are_built_by_one_command(
    mongo_url: str, database_name: str
) -> None:
    """A command reads all documents of its collection."""
    commands = Commands()
    client: DbClient = AsyncIOMotorClient(mongo_url, event_listeners=[commands])
    plain = replace(TTL, keys=(("b", 1),), name="plain", ttl_seconds=None)
    await build_indexes(client[database_name], TTL, replace(plain, collection="others"), plain)
    client.close()
    built = [
        (command["createIndexes"], [index["name"] for index in command["indexes"]])
        for command in commands.sent
        if "createIndexes" in command
    ]
    assert built == [("things", ["kept", "plain"]), ("others", ["plain"])]


async def test_a_build_has_no_time_limit_and_the_quorum_of_a_majority(
    mongo_url: str, database_name: str
) -> None:
    commands = Commands()
    client: DbClient = AsyncIOMotorClient(mongo_url, timeoutMS=2500, event_listeners=[commands])
    await build_indexes(client[database_name], TTL)
    await client[database_name]["things"].find_one({})
    client.close()
    [build] = [command for command in commands.sent if "createIndexes" in command]
    assert "maxTimeMS" not in build
    assert build["commitQuorum"] == "majority"
    assert build["writeConcern"] == {"w": "majority"}
    # The same client gives every other command its limit.
    [find] = [command for command in commands.sent if "find" in command]
    assert 0 < find["maxTimeMS"] <= 2500


@pytest.mark.parametrize("ttl_seconds", [60, 30])
async def test_a_listed_index_is_requested_again_to_wait_for_its_build(
    mongo_url: str, database_name: str, ttl_seconds: int
) -> None:
    """The listing names an index before its build has ended."""
    commands = Commands()
    client: DbClient = AsyncIOMotorClient(mongo_url, event_listeners=[commands])
    await build_indexes(client[database_name], TTL)
    assert "kept" in await client[database_name]["things"].index_information()
    commands.sent.clear()
    await build_indexes(client[database_name], replace(TTL, ttl_seconds=ttl_seconds))
    client.close()
    sent = [next(iter(command)) for command in commands.sent]
    expected = ["listIndexes", "createIndexes"] + ["collMod"] * (ttl_seconds != TTL.ttl_seconds)
    assert [name for name in sent if name in {*expected, "collMod"}] == expected
    [build] = [command for command in commands.sent if "createIndexes" in command]
    assert build["indexes"][0]["expireAfterSeconds"] == TTL.ttl_seconds


async def test_a_build_outlasts_the_clients_time_limit(mongo_url: str, database_name: str) -> None:
    address = urlsplit(mongo_url)
    assert address.hostname
    limits = Timeouts(database=1.0)
    async with ChaosProxy(address.hostname, address.port or 27017) as proxy:
        slow_url = mongo_url.replace(f":{address.port}", f":{proxy.port}")
        client = connect(slow_url, app_name="tests", timeouts=limits)
        things = client[database_name]["things"]
        await things.find_one({})
        proxy.delay = 0.7  # each way
        with pytest.raises(DatabaseAway) as late:
            await things.find_one({})
        assert isinstance(late.value.__cause__, PyMongoError)
        assert late.value.__cause__.timeout
        await create_indexes(things, [IndexModel(list(TTL.keys), name="kept")])
        proxy.heal()
        assert "kept" in await things.index_information()
        client.close()
