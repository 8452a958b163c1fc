"""What do the other services get from identity, and what does it make of what they tell?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from services.identity import snapshot
from shared.contracts.calls import (
    LEASE,
    SNAPSHOT,
    USER,
    VERIFICATION_LINK,
    InternalCall,
    InternalUser,
    LeaseRequest,
    SnapshotQuery,
    VerificationLinkRequest,
)
from shared.contracts.policy_objects import ServiceClientObject, SessionObject
from shared.contracts.team import MemberLeft, MemberRemoved, MemberRoleChanged
from shared.http.client import InternalClient
from shared.problems import Refusal
from tests.services.identity.running import KEYS, Identity
from tests.services.rows import row_of

TEAM = "acc_" + "7" * 32
OTHER = "acc_" + "8" * 32
STRANGER = "usr_" + "0" * 32


def client_of(identity: Identity, service: str) -> InternalClient:
    return InternalClient(
        service=service,
        key=SecretStr(KEYS.private[service]),
        urls={"identity": [identity.inside]},
        clock=identity.clock,
    )


async def test_team_gets_a_user(identity: Identity) -> None:
    person = await identity.person("Ana@example.com")
    client = client_of(identity, "team")
    found = await client.call(USER, "identity", path={"user_id": person["user"]["id"]})
    assert found == InternalUser(
        user_id=person["user"]["id"],
        email="Ana@example.com",
        email_verified=True,
        name="Ana",
        account_id=person["account_id"],
        status="active",
    )
    with pytest.raises(Refusal) as refused:
        await client.call(USER, "identity", path={"user_id": STRANGER})
    assert refused.value.code == "not-found"
    await client.close()


LINK = VerificationLinkRequest(kind="verification", id=STRANGER, generation=1)
FOREIGN: list[tuple[str, InternalCall[Any, Any], Any]] = [
    ("authz", USER, None),
    ("team", VERIFICATION_LINK, LINK),
    ("audit", VERIFICATION_LINK, LINK),
    ("team", SNAPSHOT, SnapshotQuery()),
    ("notification", LEASE, LeaseRequest(replica="r1", boot=1, asked=0, applied={})),
]


async def test_each_internal_route_has_its_callers(identity: Identity) -> None:
    for service, call, request in FOREIGN:
        client = client_of(identity, service)
        with pytest.raises(Refusal) as refused:
            await client.call(call, "identity", request, path={"user_id": STRANGER})
        assert refused.value.status == 503  # the caller's own mistake is not the user's
        await client.close()


async def test_the_snapshot_has_clients_and_sessions_that_ended_lately(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "PAGE", 2)
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
    client = client_of(identity, "authz")
    pages, cursor = [], None
    while True:
        pages.append(await client.call(SNAPSHOT, "identity", SnapshotQuery(cursor=cursor)))
        cursor = pages[-1].next_cursor
        if cursor is None:
            break
    await client.close()
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
    told = {
        policy_object.id: policy_object
        for row in await identity.rows()
        for policy_object in row.policy_objects
    }
    assert all(told[policy_object.id] == policy_object for policy_object in policy_objects)


async def member_of(identity: Identity, email: str) -> tuple[dict[str, Any], str]:
    """Somebody whose session's current account is the team."""
    person = await identity.person(email)
    identity.neighbours.members.add((person["user"]["id"], TEAM))
    token = person["access_token"]
    switched = await identity.post("/v1/session/switch", {"account_id": TEAM}, token=token)
    assert switched.status == 200
    return person, switched.body["access_token"]


def role_changed(identity: Identity, person: dict[str, Any], *, ends: bool, account: str = TEAM):
    told = MemberRoleChanged(
        account_name="Team",
        user_id=person["user"]["id"],
        email=person["user"]["email"],
        name="Ana",
        role="basic",
        previous_role="admin",
        role_title="Basic",
        ends_sessions=ends,
    )
    return row_of(told, account_id=account, occurred_at=identity.clock.now())


async def test_nv16_a_role_change_ends_the_sessions_in_that_account_where_asked(
    identity: Identity,
) -> None:
    person, token = await member_of(identity, "ana@example.com")
    personal = (await identity.log_in("ana@example.com")).body
    row = role_changed(identity, person, ends=True)
    await identity.tell(row)
    await identity.tell(row)
    assert (await identity.send("GET", "/v1/me", token=token)).status == 401
    assert (await identity.send("GET", "/v1/me", token=personal["access_token"])).status == 200
    (ended,) = await identity.rows("session.ended")
    assert ended.actor.type == "service"
    assert ended.actor.on_behalf_of == row.actor.id
    assert ended.account_id == TEAM


@pytest.mark.parametrize("case", ["not asked", "another account", "signed in since"])
async def test_nv16_other_sessions_go_on(identity: Identity, case: str) -> None:
    person, token = await member_of(identity, "ana@example.com")
    row = role_changed(
        identity,
        person,
        ends=case != "not asked",
        account=OTHER if case == "another account" else TEAM,
    )
    if case == "signed in since":
        earlier = row.occurred_at - timedelta(seconds=1)
        row = row.model_copy(update={"occurred_at": earlier})
    await identity.tell(row)
    assert (await identity.send("GET", "/v1/me", token=token)).status == 200
    assert await identity.rows("session.ended") == []


@pytest.mark.parametrize("kind", [MemberRemoved, MemberLeft])
async def test_who_left_an_account_goes_on_in_the_personal_one(identity: Identity, kind) -> None:
    person, token = await member_of(identity, "ana@example.com")
    told = kind(
        account_name="Team",
        user_id=person["user"]["id"],
        email="ana@example.com",
        name="Ana",
        role="basic",
    )
    row = row_of(told, account_id=TEAM)
    await identity.tell(row)
    await identity.tell(row)
    me = await identity.send("GET", "/v1/me", token=token)
    assert (me.status, me.body["current_account_id"]) == (200, person["account_id"])
    body = {"refresh_token": person["refresh_token"]}
    assert (await identity.post("/v1/token/refresh", body)).body["account_id"] == (
        person["account_id"]
    )


async def test_a_fact_that_concerns_nobody_here_is_taken(identity: Identity) -> None:
    stranger = {"user": {"id": "usr_" + "0" * 32, "email": "x@example.com"}}
    await identity.tell(role_changed(identity, stranger, ends=True))
    assert not identity.bus.dead
    assert await identity.rows() == []
