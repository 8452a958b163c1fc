"""`python -m deploy.migrate`: the form of a database, apart from the start of its service."""

import asyncio

import pytest
from pydantic import SecretStr

from deploy.migrate import SERVICES, main, run
from services.team.app import build
from services.team.settings import Settings
from shared.bus.local import LocalBus
from shared.contracts.topology import SOURCES, Service
from shared.indexes import DropStep, IndexStep
from shared.migrations import Migration, MigrationsMissing, Phase
from shared.runtime.listeners import listen
from shared.runtime.settings import MigrateWhen
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.team.running import LINK_KEY
from tests.support.journal_keys import signer
from tests.support.service import FAR, common_settings


def test_every_service_with_a_database_can_be_migrated():
    assert set(SERVICES) == set(SOURCES)


@pytest.mark.parametrize("service", SERVICES)
def test_the_steps_and_settings_are_those_of_the_service(service):
    settings, migrations = SERVICES[service]
    assert settings.__module__ == f"services.{service}.settings"
    assert migrations.__module__ == f"services.{service}.migrations"
    assert migrations(signer(service))


@pytest.mark.parametrize("service", SERVICES)
def test_what_contracts_drops_no_index_of_a_later_step(service):
    """It runs after the steps behind it."""
    steps = SERVICES[service][1](signer(service))
    dropped = [
        (step.number, collection, name)
        for step in steps
        if step.phase is Phase.CONTRACT and isinstance(step.step, DropStep)
        for collection, names in step.step.names.items()
        for name in names
    ]
    built = [
        (step.number, index.collection, index.full_name)
        for step in steps
        if isinstance(step.step, IndexStep)
        for index in step.step.indexes
    ]
    assert [
        one for one in dropped for later in built if later[0] > one[0] and later[1:] == one[1:]
    ] == []


async def test_what_only_expanded_can_be_forgotten(mongo_url, database_name):
    more = steps(Phase.REPLACE, Phase.EXPAND, Phase.CONTRACT)
    await run(mongo_url, database_name, more[:2], service="team", timeouts=PATIENT)
    told = await run(mongo_url, database_name, more, service="team", back=1)
    assert told == [f"{database_name}: 2 step 2: forgotten\n"]
    left = await run(mongo_url, database_name, more, service="team", plan=True)
    assert left[0] == f"{database_name}: 2 step 2 (expand): pending\n"


def test_the_numbers_of_two_services_are_not_taken_for_one(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["audit", "team", "--back", "21"])
    assert ended.value.code == 2
    assert "--back takes one service" in capsys.readouterr().err


async def nothing(database):
    await database["made"].insert_one({})


def steps(*phases):
    return [
        Migration(number, f"step {number}", nothing, phase=phase)
        for number, phase in enumerate(phases, 1)
    ]


async def test_the_plan_tells_each_step_and_changes_nothing(mongo_url, database_name):
    first = steps(Phase.REPLACE)
    await run(mongo_url, database_name, first, service="team", timeouts=PATIENT)
    more = steps(Phase.REPLACE, Phase.EXPAND, Phase.CONTRACT)
    for _ in range(2):
        told = await run(mongo_url, database_name, more, service="team", plan=True)
        assert told[:2] == [
            f"{database_name}: 2 step 2 (expand): pending\n",
            f"{database_name}: 3 step 3 (contract): pending\n",
        ]
        assert [line.partition(":")[0] for line in told[2:]] == ["expand", "contract"]
    done = await run(mongo_url, database_name, more, service="team")
    assert [line.rpartition(" ")[2] for line in done[:2]] == ["applied\n", "pending\n"]
    assert "--contract" in done[2]
    done = await run(mongo_url, database_name, more, service="team", contract=True)
    assert done == [f"{database_name}: 3 step 3 (contract): applied\n"]
    done = await run(mongo_url, database_name, more, service="team")
    assert done == [f"{database_name} has every migration of this version.\n"]


async def test_a_service_that_may_not_migrate_refuses_an_empty_database(mongo_url, database_name):
    common = common_settings(Service.TEAM, mongo_url, database_name, {})
    settings = Settings(**{**common, "link_key": SecretStr(LINK_KEY), "migrate": MigrateWhen.APART})
    team = build(settings, bus=LocalBus(timeouts=PATIENT), clock=SetClock(FAR), timeouts=PATIENT)
    try:
        with pytest.raises(MigrationsMissing, match=r"`python -m deploy\.migrate team`"):
            async with asyncio.timeout(60):
                await team.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    finally:
        await team.stop()


def test_a_missing_setting_is_named(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["team", "--plan"])
    assert ended.value.code == 2
    assert "ROLECALL_TEAM_MONGO_URL" in capsys.readouterr().err


def test_a_service_without_a_database_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["authz"])
    assert ended.value.code == 2
    assert "identity" in capsys.readouterr().err
