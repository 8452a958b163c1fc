"""Revocation (RFC 7009): what ends with which token, and that the answer is true everywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from shared.contracts.calls.leases import SNAPSHOT, SnapshotQuery
from shared.leases import Leases, Receipt
from tests.services.identity.running import running
from tests.services.identity.test_introspection import INACTIVE, member, token_of, told

if TYPE_CHECKING:
    from tests.services.identity.running import Identity
    from tests.support.service import Answered

PATH = "/oauth2/revoke"


async def revoke(identity: Identity, token: str, **form: str) -> Answered:
    return await identity.post(PATH, form={"token": token} | form)


async def snapshot(identity: Identity) -> list[Any]:
    """What a replica that starts now is told on the first page."""
    page = await identity.callers["authz"].call(SNAPSHOT, "identity", SnapshotQuery(cursor=None))
    return [item for item in page.items if item.kind == "access_token"]


async def test_each_token_of_a_session_ends_it(identity: Identity) -> None:
    await member(identity)
    for name in ("access_token", "refresh_token"):
        session = (await identity.log_in("ana@example.com")).body
        for _ in range(2):  # a repeat finds it ended
            answer = await revoke(identity, session[name])
            assert (answer.status, answer.body) == (200, {})
        assert not await identity.is_live(session)
    ended = await identity.rows("session.ended")
    assert len(ended) == 2
    assert {(row.actor.type, row.actor.email) for row in ended} == {("user", "ana@example.com")}


async def test_a_used_refresh_token_ends_its_session_too(identity: Identity) -> None:
    person = await member(identity)
    body = {"refresh_token": person["refresh_token"]}
    renewed = (await identity.post("/v1/token/refresh", body)).expect(200)
    assert (await revoke(identity, person["refresh_token"])).status == 200
    assert not await identity.is_live(renewed)


async def test_an_api_token_revokes_itself(identity: Identity) -> None:
    client, person = await identity.make_client(), await member(identity)
    kept, ended = await identity.make_token(person), await identity.make_token(person)
    assert (await revoke(identity, ended["secret"])).status == 200
    assert await told(identity, client, ended["secret"]) == INACTIVE
    assert (await told(identity, client, kept["secret"]))["active"]
    assert await identity.is_live(person)
    [row] = await identity.rows("api_token.revoked")
    assert row.data["token_id"] == ended["id"]
    assert [each.state for each in row.policy_objects] == [None]


@pytest.mark.rule("T5")
async def test_an_access_token_of_a_client_ends_alone(identity: Identity) -> None:
    client = await identity.make_client(scopes=["authz:check", "members:provision"])
    revoked, kept = await token_of(identity, client), await token_of(identity, client)
    for _ in range(2):
        assert (await revoke(identity, revoked)).status == 200
    assert await told(identity, client, revoked) == INACTIVE
    assert (await told(identity, client, kept))["active"]
    body: dict[str, Any] = {"users": []}
    statuses = [
        (await identity.post("/v1/provisioning/users", body, token=token)).status
        for token in (revoked, kept)
    ]
    assert statuses == [401, 422]
    [row] = await identity.rows("service_client.token_revoked")
    assert row.actor.id == client["id"]
    assert await snapshot(identity) == list(row.policy_objects)
    identity.clock.move(1000)
    assert await snapshot(identity) == []


@pytest.mark.rule("B8")
@pytest.mark.parametrize("kind", ["session", "refresh", "api", "client"])
async def test_a_revocation_is_answered_when_it_is_in_force(
    mongo_url: str, database_name: str, kind: str
) -> None:
    class SettableLeases(Leases):
        in_force = True

        async def barrier(self, *given: Any, **named: Any) -> Receipt:
            receipt = await super().barrier(*given, **named)
            return receipt if type(self).in_force else replace(receipt, effective_at=None)

    wiring = {"leases": SettableLeases}
    async with running(mongo_url, database_name, wiring=wiring) as identity:
        person, client = await member(identity), await identity.make_client()
        token = {
            "session": person["access_token"],
            "refresh": person["refresh_token"],
            "api": (await identity.make_token(person))["secret"],
            "client": await token_of(identity, client),
        }[kind]
        SettableLeases.in_force = False
        for _ in range(2):
            assert (await revoke(identity, token)).status == 503
        SettableLeases.in_force = True
        assert (await revoke(identity, token)).status == 200


async def test_what_is_not_a_token_is_answered_as_revoked(identity: Identity) -> None:
    person = await member(identity)
    forged = person["access_token"][:-4] + "AAAA"
    for token in ("x", "rct_" + "a" * 36, forged, "ses_" + "0" * 32 + ".1.x"):
        answer = await revoke(identity, token, token_type_hint="nonsense")
        assert (answer.status, answer.body) == (200, {})
    assert await identity.is_live(person)


async def test_wrong_credentials_of_a_client_revoke_nothing(identity: Identity) -> None:
    person, client = await member(identity), await identity.make_client()
    pair = {"client_id": client["id"], "client_secret": client["secret"]}
    for form in (pair | {"client_secret": "x"}, {"client_id": client["id"]}):
        answer = await revoke(identity, person["access_token"], **form)
        assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    answer = await identity.post(PATH, form=pair)
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")
    assert await identity.is_live(person)
    assert (await revoke(identity, person["access_token"], **pair)).status == 200
    assert not await identity.is_live(person)
