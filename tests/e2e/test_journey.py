"""The whole journey works in each mode and under each catalog."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e import authzen, journey, print_shop
from tests.e2e.bus_tap import tapped, with_listener
from tests.e2e.canaries import BUS, LOG, MAILS, METRICS, Canaries, dump, live
from tests.e2e.journey import SETTINGS, Deployment, World
from tests.e2e.one_process import OneProcess
from tests.e2e.processes import Processes
from tests.faults import forged_facts
from tests.lengths import length
from tests.support.sessions import http_session

pytestmark = pytest.mark.usefixtures("unmeasured")

TEAMS_AT_ONCE = length("TEAMS", short=4, soak=8)
"""A fault between two teams has 6 pairs to show in, and 28 in the long form."""


ONE_PROCESS, PROCESSES = "in one process", "as processes over RabbitMQ"


@pytest.fixture(scope="module", params=[ONE_PROCESS, PROCESSES])
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OneProcess | Processes]:
    folder: Path = tmp_path_factory.mktemp("product")
    if request.param == ONE_PROCESS:
        product: OneProcess | Processes = OneProcess(folder)
    else:
        product = Processes(folder, define=with_listener)
    try:
        product.start()
        yield product
    finally:
        product.stop()


@pytest.fixture(scope="module")
def deployment(product: OneProcess | Processes) -> Deployment:
    deployment = product.deployment()
    assert deployment.operator is not None
    deployment.operator.publish(print_shop.FILE)
    return deployment


@pytest.fixture
async def world(deployment: Deployment) -> AsyncIterator[World]:
    async with http_session(seconds=30) as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        yield world


@pytest.mark.rule("Rp1", "Rp2", "Nv1", "Rp7", "Ro8", "Ro9", "Ro10", "Nv14", "Ro18", "Ro20")
@pytest.mark.parametrize("catalog", SETTINGS)
async def test_users_form_a_team_and_decisions_follow_the_catalog(
    world: World, catalog: str
) -> None:
    team = await journey.gather_team(world, catalog)
    await journey.ask_by_the_table(world, team, catalog)


@pytest.mark.rule("Ci3", "Ci9", "Ro14", "Ci5", "Ro15", "Ro16", "Ro17", "Rp13", "Rp15", "Ci14", "B8")
async def test_changes_and_removals_take_effect_and_are_in_the_audit_log(world: World) -> None:
    team = await journey.gather_team(world, "standard")
    await journey.change_and_remove(world, team)
    await journey.read_the_audit_log(world, team)


@pytest.mark.rule("B6")
async def test_the_standards_scenarios_are_ordinary_data(world: World) -> None:
    await authzen.certify(await authzen.load(world, authzen.RECORDS))
    todos = await authzen.load(world, authzen.TODOS)
    await authzen.ask_about_todos(todos)
    await authzen.ask_about_routes(todos)
    await authzen.search_the_library(await authzen.load(world, authzen.LIBRARY))


async def test_a_platform_with_a_catalog_of_its_own_has_all_of_rolecall(
    world: World, tmp_path: Path
) -> None:
    team = await journey.gather_team(world, "print-shop")
    await print_shop.give_roles_and_orders(world, team)
    print_shop.publish_a_later_version(world, tmp_path)
    await print_shop.move_to_the_later_version(world, team)


async def test_teams_at_once_do_not_affect_each_other(world: World) -> None:
    teams = await asyncio.gather(
        *(journey.gather_team(world, "standard") for _ in range(TEAMS_AT_ONCE))
    )
    assert len({team.account_id for team in teams}) == TEAMS_AT_ONCE
    await asyncio.gather(*(journey.ask_by_the_table(world, team, "standard") for team in teams))


@pytest.mark.rule("T15")
async def test_secrets_are_only_where_they_belong(
    product: OneProcess | Processes, world: World
) -> None:
    found = Canaries()
    async with AsyncExitStack() as running:
        messages: list[str] = []
        if isinstance(product, Processes):
            messages = await running.enter_async_context(tapped(product))
        await live(world, found)
    mails = str(await world.mailbox.all())
    stored = dict(dump(product.database_url()))
    assert any("journal" in name for name in stored)
    places = {
        **stored,
        BUS: "\n".join(messages),
        LOG: "\n".join(log.read_text(errors="replace") for log in product.logs()),
        MAILS: mails,
        METRICS: "\n".join([await world.read(f"{url}/metrics") for url in product.internal_urls()]),
    }
    leaks = [leak for place, text in places.items() for leak in found.found(place, text)]
    assert leaks == []
    assert len(found.may_be) > 40
    assert any(one in mails for one, allowed in found.may_be.items() if MAILS in allowed)
    assert "rolecall_" in places[METRICS]
    assert "session.started" in places[BUS] or isinstance(product, OneProcess)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("product", [PROCESSES], indirect=True)
async def test_forged_facts_of_every_type_change_nothing_and_raise_alarms(
    product: Processes, world: World, report: Callable[[str], None]
) -> None:
    await forged_facts.require_no_effect(product, world, report)
