"""An update from the release before, and the way back, one replica at a time under load."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from shared.contracts.topology import SOURCES
from tests.e2e.processes import ROOT
from tests.faults.rolling_product import ORDER, RollingProduct, unpack_release
from tests.faults.steady_load import Load, load_on
from tests.lengths import SOAK
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")

BEFORE = "8a3bdd8e"
"""0.1.0, the release before this one."""
STEPS_BEFORE = {"identity": 32, "team": 29, "notification": 14, "audit": 21}
"""The steps that it knows."""
REQUESTS_BETWEEN = 100
"""Requests of teams between two parts of an update."""


async def roll(
    load: Load, product: RollingProduct, services: Sequence[str], code: Path, *, what: str
) -> None:
    """Replace all replicas, service by service."""
    for service in services:
        load.enter(f"{what}: {service}")
        await asyncio.to_thread(product.roll, service, code)


async def some_requests(load: Load, phase: str) -> None:
    """Wait until the teams have sent further requests."""
    load.enter(phase)
    enough = load.counts.requests + REQUESTS_BETWEEN
    await wait_for(lambda: load.counts.requests > enough, within=120, what="further requests")


async def migrate(product: RollingProduct, *arguments: str) -> str:
    """Migrate each database."""
    said = [await asyncio.to_thread(product.migrate, each, *arguments) for each in SOURCES]
    return "".join(said)


async def go_back(product: RollingProduct) -> None:
    """Forget what 0.1.0 does not know."""
    for service, number in STEPS_BEFORE.items():
        await asyncio.to_thread(product.migrate, service, "--back", str(number))


if SOAK:  # forty starts, and each service gives its connections three seconds to end

    @pytest.mark.timeout(2400)
    async def test_an_update_and_the_way_back_lose_nothing_under_load(
        tmp_path: Path, report: Callable[[str], None]
    ) -> None:
        before = unpack_release(BEFORE, tmp_path / "release")
        product = RollingProduct(tmp_path, replicas=2, running=2, code=before, apart=True)
        try:
            await asyncio.to_thread(product.start)
            async with load_on(
                product.deployments(),
                mail=product.mail.url,
                database=product.database_url,
                replicas=product.running_authz,
                report=report,
            ) as load:
                await some_requests(load, "0.1.0")
                assert "applied" in await migrate(product)
                await some_requests(load, "0.1.0, expanded")
                await roll(load, product, ORDER, ROOT, what="update")
                await some_requests(load, "this release")
                await go_back(product)
                await roll(load, product, ORDER[::-1], before, what="way back")
                await some_requests(load, "0.1.0 again")
                await migrate(product)
                await roll(load, product, ORDER, ROOT, what="second update")
                assert "applied" in await migrate(product, "--contract")
                await some_requests(load, "this release, contracted")
        finally:
            await asyncio.to_thread(product.stop)
        load.require_nothing_lost()
