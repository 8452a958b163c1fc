"""Each alert of Prometheus is fired by a fault of the running product, with its real metrics."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from pymongo import MongoClient

from deploy.broker import definitions
from deploy.monitoring.alert_rules import ALERT_FILES, alerts
from tests.e2e.journey import World, gather_team
from tests.e2e.processes import Processes
from tests.faults.alert_data_faults import CHECKPOINTS
from tests.faults.alert_drill import Drill
from tests.faults.alert_faults import FAULTS, NOT_CAUSED
from tests.faults.prometheus import MeasuredRabbitmq, Prometheus, hurried
from tests.lengths import SOAK
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

OPTIONS = {
    "identity": {"mails_per_ip": "100000"},
    "notification": {"webhook_networks": '["127.0.0.0/8"]', "webhook_connections": "1"},
}


def test_every_alert_is_in_the_table_of_faults():
    caused = [alert for _, fired in FAULTS for alert in fired]
    assert sorted([*caused, *NOT_CAUSED]) == sorted(alerts())


@pytest.mark.parametrize("rules", ALERT_FILES, ids=lambda path: path.stem)
def test_the_drill_changes_no_threshold(rules):
    text = rules.read_text()
    assert [line for line in hurried(text).splitlines() if ">" in line or "==" in line] == [
        line.replace(window, "[20s]")
        for line in text.splitlines()
        if ">" in line or "==" in line
        for window in [line[line.find("[") : line.find("]") + 1] or "[20s]"]
    ]


class MonitoredProduct(Processes):
    """The product, with a broker that shows its metrics and services that look around often."""

    def __init__(self, folder: Path) -> None:
        audit = {"checkpoint_folder": str(folder / CHECKPOINTS)}
        super().__init__(folder, replicas={"authz": 2}, options={**OPTIONS, "audit": audit})
        self.broker = self.measured_broker = MeasuredRabbitmq(
            folder / "rabbitmq", definitions=definitions(self.broker_passwords)
        )
        for process in self.services.values():
            process.module = "tests.faults.hasty_services"
            process.arguments = (process.service,)

    def targets(self) -> dict[str, dict[str, str]]:
        """What Prometheus reads."""
        services = {
            name: process.internal_url.removeprefix("http://")
            for name, process in self.services.items()
        }
        broker = f"127.0.0.1:{self.measured_broker.metrics_port}"
        return {"rolecall": services, "rabbitmq": {"rabbitmq": broker}}


@asynccontextmanager
async def running_drill(folder: Path) -> AsyncIterator[Drill]:
    """The product under a Prometheus, with a team in it."""
    product = MonitoredProduct(folder)
    prometheus = Prometheus(folder / "prometheus", product.targets())
    try:
        await asyncio.to_thread(product.start)
        await asyncio.to_thread(prometheus.start)
        deployment = await asyncio.to_thread(product.deployment)
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=10), connector=aiohttp.TCPConnector(limit=0)
        ) as http:
            world = World(deployment, http)
            await world.platform.sign_in(deployment.client_id, deployment.client_secret)
            team = await gather_team(world, "standard")
            database: MongoClient[dict[str, Any]] = MongoClient(product.database_url())
            with database:
                yield Drill(product, prometheus, world, team, database)
    finally:
        await asyncio.to_thread(prometheus.stop)
        await asyncio.to_thread(product.stop)


if SOAK:  # twenty faults, each until its alert fires and ends

    @pytest.mark.timeout(3000)
    async def test_each_alert_is_fired_by_its_fault(
        tmp_path: Path, report: Callable[[str], None]
    ) -> None:
        async with running_drill(tmp_path) as drill:
            for fault, fired in FAULTS:
                await drill.run(fault, fired)
        rows = [
            f"{alert:32} {fault.__name__:32} {drill.fired[alert]:6.1f} s"
            for fault, fired in FAULTS
            for alert in fired
        ]
        report("\n".join(["Alert, fault, and the seconds until it fired", *rows]))


if SOAK:  # it starts all processes, and watches them for a minute

    @pytest.mark.timeout(600)
    async def test_an_idle_product_that_prometheus_reads_logs_nothing(
        tmp_path: Path, report: Callable[[str], None]
    ) -> None:
        product = MonitoredProduct(tmp_path)
        prometheus = Prometheus(tmp_path / "prometheus", product.targets())

        async def read(times: int) -> None:
            """Wait until each target was read so often, once a second."""

            async def enough() -> bool:
                found = await asyncio.to_thread(prometheus.query, "count_over_time(up[1h])")
                return min((int(one["value"][1]) for one in found), default=0) >= times

            await wait_for(enough, within=300, what=f"{times} rounds of Prometheus")

        def sizes() -> dict[str, int]:
            return {name: one.log.stat().st_size for name, one in product.services.items()}

        try:
            await asyncio.to_thread(product.start)
            await asyncio.to_thread(prometheus.start)
            await read(20)  # the last lines of the start are written by then
            before = sizes()
            await read(80)
            grown = {name: size - before[name] for name, size in sizes().items()}
        finally:
            await asyncio.to_thread(prometheus.stop)
            await asyncio.to_thread(product.stop)
        report(f"bytes of log in 60 readings by Prometheus: {grown}")
        assert set(grown.values()) == {0}
