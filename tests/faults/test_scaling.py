"""Each service with one replica, then three, then one again, behind two gateways under load."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.mongo import DATABASES, Client
from shared.contracts.topology import Service
from tests.faults.rolling_product import ORDER, RollingProduct
from tests.faults.steady_load import Load, load_on
from tests.faults.test_upgrades import some_requests
from tests.lengths import SOAK

pytestmark = pytest.mark.usefixtures("unmeasured")

MOST = 3


async def grow(load: Load, product: RollingProduct) -> None:
    """Start the further replicas of each service, then let the gateways use them."""
    for service in ORDER:
        load.enter(f"{service} grows")
        for number in range(1, MOST):
            await asyncio.to_thread(product.replicas_of(service)[number].start)
    await asyncio.to_thread(product.route_to, MOST)


async def shrink(load: Load, product: RollingProduct) -> None:
    """Let the gateways use the first replicas only, then stop the others."""
    await asyncio.to_thread(product.route_to, 1)
    for service in ORDER[::-1]:
        load.enter(f"{service} shrinks")
        for number in range(1, MOST):
            await asyncio.to_thread(product.replicas_of(service)[number].stop)


def slots_with_leases(product: RollingProduct) -> set[str]:
    """The names of the replicas that hold a lease of team; the last part of an id is a life."""
    with Client(product.database_url()) as client:
        leases = client[DATABASES[Service.TEAM]]["leases"]
        rows = leases.find({"released": {"$ne": True}}, {"_id": 1})
        parts = [str(row["_id"]).split("/") for row in rows]
    return {slot for service, slot, *_ in parts if service == Service.AUTHZ}


if SOAK:  # fifteen replicas on one machine

    @pytest.mark.timeout(1800)
    async def test_replicas_come_and_go_and_no_request_fails(
        tmp_path: Path, report: Callable[[str], None]
    ) -> None:
        product = RollingProduct(tmp_path, replicas=MOST, running=1)
        try:
            await asyncio.to_thread(product.start)
            async with load_on(
                product.deployments(),
                mail=product.mail.url,
                database=product.database_url,
                replicas=product.running_authz,
                report=report,
            ) as load:
                await some_requests(load, "one replica")
                await grow(load, product)
                await some_requests(load, f"{MOST} replicas")
                assert slots_with_leases(product) == {f"authz-{each}" for each in range(MOST)}
                await shrink(load, product)
                assert slots_with_leases(product) == {"authz-0"}
                await some_requests(load, "one replica again")
        finally:
            await asyncio.to_thread(product.stop)
        load.require_nothing_lost()
