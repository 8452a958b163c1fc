"""A session that ended opens nothing in team from the moment that its end is acknowledged."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from services.team.store import Store
from shared.contracts.calls.journal import HEADS
from shared.contracts.calls.leases import LEASE, SNAPSHOT, LeaseRequest, SnapshotQuery
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, SessionObject
from shared.ids import new_id
from tests.services.team.running import Person, Team, running
from tests.waiting import wait_for

if TYPE_CHECKING:
    from shared.ids import AccountId
    from shared.leases import Receipt
    from shared.mongo import DbSession

ENGINES = {"name": "Engines", "catalog": "standard"}


def ended(person: Person) -> PolicyObject:
    """The end of a session, as identity's journal has it."""
    state = SessionObject(user_id=person.user_id, ended_at=person.team.clock.now())
    return PolicyObject(
        kind=PolicyObjectKind.SESSION,
        id=person.session_id,
        rev=0,
        state=state.model_dump(mode="json"),
    )


async def sign_out(person: Person) -> Receipt:
    """End the session as identity does: the receipt comes when every follower has it."""
    _, receipt = await person.team.identity.source.change(ended(person))
    return receipt


async def test_an_acknowledged_sign_out_ends_every_request(team: Team) -> None:
    ana = await team.person("Ana")
    await ana.get(ana.path)

    receipt = await sign_out(ana)

    assert receipt.effective
    for method, path, sent in (
        ("GET", "/v1/me/accounts", None),
        ("GET", ana.path, None),
        ("GET", f"/v1/accounts/{new_id('acc')}", None),
        ("GET", "/v1/accounts/none", None),
        ("POST", f"{ana.path}/convert", ENGINES),
        ("POST", f"{ana.path}/convert", {"unknown": 1}),
        ("POST", "/v1/invitations/accept", {"token": "x", "code": "ABCDEFGH"}),
    ):
        answer = await ana.send(method, path, sent)
        assert (answer.status, answer.code) == (401, "token-revoked"), path


async def test_a_sign_out_is_in_force_without_the_bus(own_team: Team) -> None:
    ana = await own_team.person("Ana")
    own_team.identity.source.mute = True

    receipt = await sign_out(ana)

    assert receipt.effective
    assert (await ana.send("GET", ana.path)).status == 401


async def test_another_session_of_the_same_user_continues(team: Team) -> None:
    ana = await team.person("Ana")
    elsewhere = replace(ana, session_id=new_id("ses"))

    await sign_out(ana)

    assert (await elsewhere.get(ana.path))["id"] == ana.account_id


async def test_a_kept_answer_is_not_repeated_to_an_ended_session(team: Team) -> None:
    ana = await team.person("Ana")
    first = await ana.send("POST", f"{ana.path}/convert", ENGINES, Idempotency_Key="k")
    assert first.status == 200

    await sign_out(ana)

    again = await ana.send("POST", f"{ana.path}/convert", ENGINES, Idempotency_Key="k")
    assert (again.status, again.code) == (401, "token-revoked")


async def test_without_a_lease_every_request_of_a_user_is_stale(own_team: Team) -> None:
    ana = await own_team.person("Ana")
    own_team.identity.source.away = True
    own_team.clock.skip(2)

    answer = await ana.send("GET", ana.path)

    assert (answer.status, answer.code) == (503, "stale")
    assert answer.headers["Retry-After"] == "1"
    assert (await ana.send("POST", f"{ana.path}/convert", ENGINES)).code == "stale"
    ready = await own_team.http.get(f"{own_team.inside}/health/ready")
    assert (await ready.json())["checks"]["identity"] is False


async def test_the_internal_routes_need_no_lease(own_team: Team) -> None:
    own_team.identity.source.away = True
    own_team.clock.skip(2)
    authz = own_team.callers["authz"]

    assert (await authz.call(HEADS, "team")).source == "team"
    assert (await authz.call(SNAPSHOT, "team", SnapshotQuery())).source == "team"
    lease = LeaseRequest(slot="a", life="0" * 32, asked=1, applied={})
    assert (await authz.call(LEASE, "team", lease)).ttl > 0


class SlowStore(Store):
    """The rows of a member are read slowly: the request waits inside its transaction."""

    reading = asyncio.Event()
    go_on = asyncio.Event()
    slow = False

    async def access_rows(self, account_id: AccountId, *args: Any, **options: Any) -> Any:
        rows = await super().access_rows(account_id, *args, **options)
        session: DbSession | None = options.get("session")
        if session is not None and type(self).slow:
            self.reading.set()
            await self.go_on.wait()
        return rows


@pytest.fixture
def slow_store() -> type[SlowStore]:
    class Slow(SlowStore):
        reading, go_on = asyncio.Event(), asyncio.Event()

    return Slow


async def test_a_sign_out_during_a_request_stops_its_commit(
    mongo_url: str, database_name: str, slow_store: type[SlowStore]
) -> None:
    async with running(mongo_url, database_name, wiring={"store": slow_store}) as team:
        ana = await team.person("Ana")
        slow_store.slow = True
        converting = asyncio.create_task(ana.send("POST", f"{ana.path}/convert", ENGINES))
        await slow_store.reading.wait()

        assert (await sign_out(ana)).effective
        slow_store.go_on.set()

        answer = await converting
        assert (answer.status, answer.code) == (401, "token-revoked")
        elsewhere = replace(ana, session_id=new_id("ses"))
        assert (await elsewhere.get(ana.path))["kind"] == "personal"


async def test_a_lease_that_ends_during_a_request_stops_its_commit(
    mongo_url: str, database_name: str, slow_store: type[SlowStore]
) -> None:
    async with running(mongo_url, database_name, wiring={"store": slow_store}) as team:
        ana = await team.person("Ana")
        slow_store.slow = True
        converting = asyncio.create_task(ana.send("POST", f"{ana.path}/convert", ENGINES))
        await slow_store.reading.wait()

        team.identity.source.away = True
        team.clock.skip(2)
        slow_store.go_on.set()

        assert (await converting).code == "stale"
        team.identity.source.away = False

        async def answers() -> bool:
            return (await ana.send("GET", ana.path)).status == 200

        await wait_for(answers, what="a new lease")
        assert (await ana.get(ana.path))["kind"] == "personal"
