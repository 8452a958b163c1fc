"""Tests of the routes for other services, and of the facts on the bus."""

from __future__ import annotations

from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from rolecall.client.access_tokens import ACCESS_SECONDS
from services.identity.store import SignInSnapshot, Store
from services.identity.store.api_tokens import SHARD_PAGES
from services.identity.use_cases.people import PAGE_SIZE
from shared.contracts.calls.base import InternalCall
from shared.contracts.calls.identity import (
    PASSWORD_RESET_LINK,
    READ_PEOPLE,
    SIGN_UP_LINK,
    USER,
    VERIFICATION_LINK,
    PasswordResetLinkRequest,
    PeopleQuery,
    SignUpLinkRequest,
    VerificationLinkRequest,
)
from shared.contracts.calls.leases import LEASE, SNAPSHOT, LeaseRequest, SnapshotQuery
from shared.contracts.facts import shard_of
from shared.contracts.policy_objects import ServiceClientObject, SessionObject
from shared.ids import new_id
from shared.problems import Refusal, Unavailable
from tests.services.identity.running import Identity, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from services.identity.domain.sessions import UserSession

TEAM = "acc_" + "7" * 32
STRANGER = "usr_" + "0" * 32
LINK = VerificationLinkRequest(kind="verification", id=STRANGER, generation=1)
SIGN_UP = SignUpLinkRequest(kind="sign-up", id="sup_" + "0" * 32, generation=1)
RESET = PasswordResetLinkRequest(kind="password-reset", id=STRANGER, generation=1)
FOREIGN: list[tuple[str, InternalCall[Any, Any], Any]] = [
    ("authz", USER, None),
    ("team", VERIFICATION_LINK, LINK),
    ("audit", VERIFICATION_LINK, LINK),
    ("team", SIGN_UP_LINK, SIGN_UP),
    ("audit", PASSWORD_RESET_LINK, RESET),
    ("team", READ_PEOPLE, PeopleQuery()),
    ("audit", SNAPSHOT, SnapshotQuery()),
    ("notification", LEASE, LeaseRequest(slot="r1", life="0" * 32, asked=0, applied={})),
]


async def test_each_internal_route_refuses_other_callers(identity: Identity) -> None:
    for service, call, request in FOREIGN:
        client = identity.callers[service]
        with pytest.raises(Refusal) as refused:
            await client.call(call, "identity", request, path={"user_id": STRANGER})
        assert refused.value.status == 503  # the caller's own mistake is not the user's


@pytest_asyncio.fixture(loop_scope="module")
async def identity_with_small_pages(mongo_url: str, database_name: str) -> AsyncIterator[Identity]:
    wiring = {"snapshot_rows": partial(SignInSnapshot, page_size=2)}
    async with running(mongo_url, database_name, wiring=wiring) as identity:
        yield identity


async def test_the_snapshot_has_clients_and_recently_ended_sessions(
    identity_with_small_pages: Identity,
) -> None:
    identity = identity_with_small_pages
    made = await identity.make_client(account_ids=[TEAM])
    early = await identity.person("early@example.com")
    await identity.post("/v1/logout", token=early["access_token"])
    identity.clock.move(601)
    ended = []
    for number in range(5):
        person = await identity.person(f"user{number}@example.com")
        await identity.post("/v1/logout", token=person["access_token"])
        ended.append(person["user"]["id"])
        identity.clock.move(0.001)
    await identity.log_in("early@example.com")
    client = identity.callers["authz"]
    pages, cursor = [], None
    while True:
        pages.append(await client.call(SNAPSHOT, "identity", SnapshotQuery(cursor=cursor)))
        cursor = pages[-1].next_cursor
        if cursor is None:
            break
    policy_objects = [policy_object for page in pages for policy_object in page.items]
    assert [len(page.items) for page in pages] == [3, 2, 1]
    sessions = [
        policy_object for policy_object in policy_objects if policy_object.kind == "session"
    ]
    assert [
        SessionObject.model_validate(policy_object.state).user_id for policy_object in sessions
    ] == ended
    (service_client,) = [
        policy_object for policy_object in policy_objects if policy_object.kind == "service_client"
    ]
    assert service_client.id == made["id"]
    assert ServiceClientObject.model_validate(service_client.state).account_ids == (TEAM,)
    recorded = {
        policy_object.id: policy_object
        for row in await identity.rows()
        for policy_object in row.policy_objects
    }
    assert all(recorded[policy_object.id] == policy_object for policy_object in policy_objects)


@pytest.mark.parametrize(
    ("seconds", "there"), [(0, True), (2 * ACCESS_SECONDS - 1, True), (2 * ACCESS_SECONDS, False)]
)
async def test_an_ended_session_is_in_the_snapshot_while_a_token_may_live(
    identity: Identity, seconds: float, *, there: bool
) -> None:
    person = await identity.person("ana@example.com")
    await identity.post("/v1/logout", token=person["access_token"])
    identity.clock.move(seconds + 0.001)
    page = await identity.callers["authz"].call(SNAPSHOT, "identity", SnapshotQuery())
    assert [item.kind for item in page.items] == ["session"] * there


async def test_the_heads_of_a_snapshot_are_read_before_its_objects(
    mongo_url: str, database_name: str
) -> None:
    meanwhile: list[Callable[[], Awaitable[object]]] = []

    class Meanwhile(Store):
        async def ended_sessions(self, **asked: Any) -> list[UserSession]:
            found = await super().ended_sessions(**asked)
            while meanwhile:
                await meanwhile.pop()()
            return found

    async with running(mongo_url, database_name, wiring={"store": Meanwhile}) as identity:
        person = await identity.person("ana@example.com")
        meanwhile.append(lambda: identity.post("/v1/logout", token=person["access_token"]))
        page = await identity.callers["authz"].call(SNAPSHOT, "identity", SnapshotQuery())
        (ended,) = await identity.rows("session.ended")
        assert page.items == ()
        assert page.heads.get(ended.shard, 0) < ended.seq


async def test_every_committed_fact_reaches_the_bus(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    await identity.log_in("ana@example.com", "another-password-1")
    await identity.post("/v1/logout", token=person["access_token"])
    heard = await identity.all_heard()
    assert {row.id for row in await identity.rows()} <= heard


async def test_every_user_is_on_one_page_of_people(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    users = identity.database["users"]
    [row] = [one async for one in users.find({})]
    new_ids = (new_id("usr") for _ in count())
    of_one_page = (each for each in new_ids if shard_of(each) in SHARD_PAGES[0])
    ids = [*islice(new_ids, 20), *islice(of_one_page, PAGE_SIZE + 5)]
    await users.insert_many(
        [{**row, "_id": each, "shard": shard_of(each), "email": f"{each}@x.org"} for each in ids]
    )
    await users.insert_one(
        {**row, "_id": new_id("usr"), "shard": 0, "verified": False, "email": "erased@x.org"}
    )
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await identity.notification.call(READ_PEOPLE, "identity", PeopleQuery(cursor=cursor))
        seen += [one.user_id for one in page.people]
        if (cursor := page.next_cursor) is None:
            break
    assert sorted(seen) == sorted([person["user"]["id"], *ids])


@pytest.mark.parametrize("cursor", ["16:", "-1:", "0:usr_1", "x", "0:" + "a" * 36])
async def test_a_cursor_of_people_that_no_page_gave_is_refused(
    identity: Identity, cursor: str
) -> None:
    call = identity.notification.call
    with pytest.raises(Unavailable):
        await call(READ_PEOPLE, "identity", PeopleQuery(cursor=cursor))
    await call(READ_PEOPLE, "identity", PeopleQuery(cursor=f"0:{new_id('usr')}"))
