"""A cluster of three RabbitMQ nodes loses its leaders under load, and nothing else is lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from deploy.broker import definitions
from tests.faults.alert_drill import killed
from tests.faults.broker_cluster import NODES, BrokerCluster
from tests.faults.fault_drill import HEADINGS, cells, running_fault_drill
from tests.faults.fault_injections import FAULT_SECONDS, REPEATS
from tests.faults.faulted_product import FaultedProduct
from tests.lengths import SOAK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AsyncExitStack
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured")

QUEUES = ("rolecall.audit", "rolecall.notification", "rolecall.team")


class ClusteredProduct(FaultedProduct):
    """The product with a broker of three nodes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.cluster = BrokerCluster(folder / "cluster", definitions(self.broker_passwords))
        self.broker = cast("Any", self.cluster)

    async def open_links(self, stack: AsyncExitStack) -> None:
        """Open the front of the cluster first: all links lead to it."""
        await stack.enter_async_context(self.cluster.front)
        self.cluster.port = self.cluster.front.port
        await super().open_links(stack)


@asynccontextmanager
async def lost_leaders(product: FaultedProduct) -> AsyncIterator[None]:
    """The node that leads a queue is killed, and comes back; then that of the next queue."""
    assert isinstance(product, ClusteredProduct)
    cluster = product.cluster
    for number in range(REPEATS):
        queue = QUEUES[number % len(QUEUES)]
        assert await asyncio.to_thread(cluster.members_of, queue) == NODES
        leader = await asyncio.to_thread(cluster.leader_of, queue)
        async with killed(leader):
            await asyncio.sleep(FAULT_SECONDS)
            assert await asyncio.to_thread(cluster.leader_of, queue) is not leader
    yield


if SOAK:  # three nodes of RabbitMQ and the whole product

    @pytest.mark.timeout(1800)
    async def test_a_cluster_that_loses_its_leaders_loses_no_message(
        tmp_path: Path, report: Callable[[str], None]
    ) -> None:
        async with running_fault_drill(tmp_path, ClusteredProduct) as drill:
            figures = await drill.run(lost_leaders)
        report("\n".join(map(" ".join, [HEADINGS, cells(figures)])))
        assert figures.whole, figures
