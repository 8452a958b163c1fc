"""The internal routes of leases: a service reaches the rows of its own replicas only."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.auth.principals import ServicePrincipal
from shared.contracts.calls.leases import APPLIED, LEASE, RELEASE, LeaseRequest, ReleaseQuery
from shared.http.routes import Call
from shared.leases import Leases, LifeEnded, lease_routes
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.shared.leases.memory import MemoryLeaseStore

LIFE = "0" * 32
REQUEST = LeaseRequest(slot="a", life=LIFE, asked=1, epoch="e1", applied={3: 7})
RELEASED = ReleaseQuery(slot="a", life=LIFE)


@pytest.fixture
def store():
    return MemoryLeaseStore("e1", {3: 7})


@pytest.fixture
def ask(store):
    """Call a route as a service."""
    leases = Leases(store, clock=SetClock(), ttl=3, timeouts=PATIENT)
    handlers = {each.operation_id: each.handler for each in lease_routes(leases, SetClock())}

    async def asking(service: str, call: Any, request: Any) -> Any:
        principal = ServicePrincipal(service=service)
        given = SimpleNamespace(service=principal, body=request, query=request)
        return await cast("Any", handlers[call.name])(None, cast("Call[Any, Any]", given))

    return asking


async def test_a_lease_is_of_the_service_that_calls(ask, store):
    for service in ("authz", "team"):
        answer = await ask(service, LEASE, REQUEST)
        assert (answer.epoch, answer.heads, answer.ttl) == ("e1", {3: 7}, 3)
    assert set(store.table) == {f"authz/a/{LIFE}", f"team/a/{LIFE}"}


async def test_a_service_cannot_report_or_give_back_for_another_one(ask, store):
    await ask("authz", LEASE, REQUEST)
    before = dict(store.table)
    await ask("team", APPLIED, REQUEST.model_copy(update={"applied": {3: 99}}))
    assert store.table == before
    await ask("team", RELEASE, RELEASED)
    assert store.table[f"authz/a/{LIFE}"] == before[f"authz/a/{LIFE}"]
    await ask("authz", LEASE, REQUEST.model_copy(update={"asked": 2}))


async def test_a_life_that_gave_its_lease_back_gets_no_other_one(ask, store):
    await ask("authz", LEASE, REQUEST)
    await ask("authz", RELEASE, RELEASED)
    with pytest.raises(LifeEnded):
        await ask("authz", LEASE, REQUEST.model_copy(update={"asked": 2}))
