"""A trace leads from a request through the processes to each consumer of its facts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from shared.contracts.topology import Service
from tests.e2e.journey import World, gather_team
from tests.e2e.processes import Processes
from tests.lengths import SOAK
from tests.support.trace_collector import collector
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

SENDER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_, TRACE, SENDERS_SPAN, _ = SENDER.split("-")
REMOVAL = "DELETE /v1/accounts/{account_id}/members/{user_id}"
CONSUMERS = {"identity", "authz", "notification", "audit"}

if SOAK:  # it starts all processes, which costs more than the test

    @pytest.mark.timeout(600)
    async def test_a_trace_leads_from_a_removal_to_each_consumer(tmp_path: Path) -> None:
        with collector() as received:
            options = {service: {"traces_url": received.url} for service in map(str, Service)}
            product = Processes(tmp_path, replicas={"authz": 1}, options=options)
            try:
                await asyncio.to_thread(product.start)
                deployment = await asyncio.to_thread(product.deployment)
                async with aiohttp.ClientSession() as http:
                    world = World(deployment, http)
                    await world.platform.sign_in(deployment.client_id, deployment.client_secret)
                    team = await gather_team(world, "standard")
                    path = f"{team.path}/members/{team.mail.user_id}"
                    sent = {"traceparent": SENDER}
                    (await team.owner.send("DELETE", path, headers=sent)).expect(202, 204)

                    def handled() -> bool:
                        names = {span.service for span in received.spans if span.trace == TRACE}
                        return names >= {"team", *CONSUMERS}

                    await wait_for(handled, what="spans of each consumer")
            finally:
                await asyncio.to_thread(product.stop)
        removal = received.named(REMOVAL)
        assert (removal.service, removal.trace, removal.parent) == ("team", TRACE, SENDERS_SPAN)
        consumed = [
            span for span in received.spans if span.trace == TRACE and span.parent == removal.id
        ]
        assert {span.service for span in consumed} >= CONSUMERS
