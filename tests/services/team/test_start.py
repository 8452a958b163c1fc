"""The start of team: its replicas are served before anything that may wait for another service."""

import asyncio
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from services.team.app import build
from services.team.settings import Settings
from shared.bus.local import LocalBus
from shared.cancellation import end
from shared.contracts.calls.journal import CHANGES, HEADS, ChangesQuery
from shared.contracts.calls.leases import (
    APPLIED,
    LEASE,
    RELEASE,
    SNAPSHOT,
    LeaseRequest,
    ReleaseQuery,
    SnapshotQuery,
)
from shared.contracts.topology import Service
from shared.runtime.listeners import listen, url_of
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.team.running import LINK_KEY
from tests.support.service import FAR, caller_of, common_settings
from tests.waiting import wait_for

LIFE = "0" * 32


class WaitingBus(LocalBus):
    """A subscription waits, as a step does that needs another service."""

    def __init__(self) -> None:
        super().__init__(timeouts=PATIENT)
        self.goes_on = asyncio.Event()

    async def subscribe(self, *given: Any, **options: Any) -> Any:
        await self.goes_on.wait()
        return await super().subscribe(*given, **options)


async def test_leases_and_snapshots_are_served_while_team_waits_for_others(
    mongo_url: str, database_name: str
) -> None:
    clock, bus = SetClock(FAR), WaitingBus()
    common = common_settings(Service.TEAM, mongo_url, database_name, {})
    settings = Settings(**{**common, "link_key": SecretStr(LINK_KEY)})
    team = build(settings, bus=bus, clock=clock, timeouts=PATIENT)
    internal, public = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    public_url = url_of(public)
    authz = caller_of(Service.AUTHZ, {Service.TEAM: url_of(internal)}, clock)
    starting = asyncio.create_task(team.start(internal=internal, public=public))
    try:
        await wait_for(lambda: not team.internal.closed, what="the internal routes")
        request = LeaseRequest(slot="a", life=LIFE, asked=1, applied={})
        granted = await authz.call(LEASE, "team", request)
        assert granted.ttl > 0
        await authz.call(APPLIED, "team", request)
        await authz.call(SNAPSHOT, "team", SnapshotQuery())
        await authz.call(HEADS, "team", None)
        await authz.call(CHANGES, "team", ChangesQuery(shard=0, after=0, limit=1))
        await authz.call(RELEASE, "team", ReleaseQuery(slot="a", life=LIFE))
        assert not starting.done()
        assert not team.ready()["started"]
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientConnectionError):
                await http.get(public_url)
        bus.goes_on.set()
        # Neither keys nor a lease: there is no identity.
        await wait_for(lambda: not team.public.closed, what="the tasks")
        assert team.ready() == {"started": False, "keys": False, "identity": False}
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientConnectionError):
                await http.get(public_url)
    finally:
        await end([starting])
        await team.stop()
        await authz.close()
        await bus.close()
