"""Tests of the operator's route that creates service clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.auth.principals import ClientPrincipal
from tests.services.identity.running import Identity
from tests.support.service import ADMIN_KEY, KEYS, Answered

CLIENT_MISFITS: list[dict[str, object]] = [
    {"scopes": []},
    {"scopes": ["everything"]},
    {"scopes": "authz:check"},
    {"name": ""},
    {"name": " "},
    {"name": "\u200b\t"},
    {"account_ids": ["acc_1"]},
    {"resource_types": ["*"]},
    {"account_ids": ["acc_" + "7" * 32] * 101},
    {"resource_types": ["instance"] * 21},
    {"secret": "mine"},
]


async def test_only_the_operator_key_creates_clients(identity: Identity) -> None:
    body = {"name": "x", "scopes": ["authz:check"]}
    for key in (None, "wrong", ADMIN_KEY + "x", KEYS.private["identity"]):
        answer = await identity.post("/internal/admin/service-clients", body, token=key)
        assert answer.status == 401
    assert await identity.rows("service_client.created") == []


async def test_the_largest_token_of_a_client_is_accepted(
    identity: Identity,
) -> None:
    client = await identity.make_client(
        scopes=[
            "authz:check",
            "audit:write",
            "usage:write",
            "members:provision",
            "resources:write",
        ],
        account_ids=[f"acc_{number:032x}" for number in range(100)],
        resource_types=[f"t{number:063}" for number in range(20)],
    )
    answer = await identity.get_token(client, {"grant_type": "client_credentials"})
    principal = await identity.verifier().verify(answer.body["access_token"])
    assert isinstance(principal, ClientPrincipal)
    assert len(principal.account_ids or ()) == 100


async def test_a_repeated_key_makes_one_client_and_shows_its_secret_once(
    identity: Identity,
) -> None:
    body = {"name": "billing", "scopes": ["authz:check"]}
    path, key = "/internal/admin/service-clients", {"Idempotency-Key": "one-key"}

    answers = await asyncio.gather(
        *(identity.post(path, body, token=ADMIN_KEY, headers=key) for _ in range(4))
    )

    made = [answer.expect(201) for answer in answers]
    [first] = [client for client in made if client["secret"] is not None]
    repeated = {"id": first["id"], "secret": None, "note": "shown-once"}
    assert [client for client in made if client != first] == [repeated] * 3
    assert len(await identity.rows("service_client.created")) == 1
    kept = await identity.database["idempotency"].find_one({})
    assert first["secret"] not in str(kept)
    answer = await identity.get_token(first, {"grant_type": "client_credentials"})
    answer.expect(200)
    other = await identity.post(path, body | {"name": "x"}, token=ADMIN_KEY, headers=key)
    assert (other.status, other.code) == (422, "idempotency-key-reused")


async def test_an_invalid_client_is_refused(identity: Identity) -> None:
    for change in CLIENT_MISFITS:
        body = {"name": "x", "scopes": ["authz:check"]} | change
        answer = await identity.post("/internal/admin/service-clients", body, token=ADMIN_KEY)
        assert answer.status == 422, change


async def test_the_admin_route_is_not_on_the_public_port(identity: Identity) -> None:
    async with identity.http.post(
        f"{identity.url}/internal/admin/service-clients",
        json={"name": "x", "scopes": ["authz:check"]},
        headers={"Authorization": f"Bearer {ADMIN_KEY}"},
    ) as answer:
        assert answer.status == 404


PLACE = "/internal/admin/service-clients"
NO_CLIENT = "cli_" + "7" * 32


async def act(identity: Identity, method: str, path: str, body: Any = None) -> Answered:
    return await identity.send(method, f"{PLACE}/{path}", body, token=ADMIN_KEY)


async def opens(identity: Identity, client_id: str, secret: str) -> bool:
    """Whether a secret of the client gives a token."""
    pair = {"id": client_id, "secret": secret}
    answer = await identity.get_token(pair, {"grant_type": "client_credentials"})
    assert answer.status in {200, 401}
    return answer.status == 200


async def rotate(identity: Identity, client_id: str, keep: int = 0, **headers: str) -> Any:
    path = f"{PLACE}/{client_id}/secret"
    body = {"keep_old_seconds": keep}
    return (await identity.post(path, body, token=ADMIN_KEY, headers=headers)).expect(201)


@pytest.mark.rule("T5")
async def test_a_former_secret_works_until_its_time_and_the_one_before_not(
    identity: Identity,
) -> None:
    client = await identity.make_client()
    secrets = [client["secret"]]
    for _ in range(2):
        made = await rotate(identity, client["id"], 3600)
        secrets += [made["secret"]]
    assert [await opens(identity, client["id"], one) for one in secrets] == [False, True, True]
    identity.clock.move(3600)
    assert [await opens(identity, client["id"], one) for one in secrets] == [False, False, True]
    [shown] = (await identity.send("GET", PLACE, token=ADMIN_KEY)).expect(200)["items"]
    assert shown["old_secret_until"] is None
    too_long = {"keep_old_seconds": 30 * 86_400 + 1}
    refused = await act(identity, "POST", f"{client['id']}/secret", too_long)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/keep_old_seconds")


async def test_a_former_secret_is_ended_early_or_at_once(identity: Identity) -> None:
    client = await identity.make_client()
    kept = await rotate(identity, client["id"], 3600)
    assert kept["old_secret_until"] is not None
    for _ in range(2):
        ended = await act(identity, "DELETE", f"{client['id']}/old-secret")
        assert ended.expect(200)["old_secret_until"] is None
    assert await opens(identity, client["id"], client["secret"]) is False
    at_once = await rotate(identity, client["id"])
    assert at_once["old_secret_until"] is None
    assert await opens(identity, client["id"], kept["secret"]) is False
    assert await opens(identity, client["id"], at_once["secret"]) is True
    assert len(await identity.rows("service_client.old_secret_ended")) == 1


async def test_a_repeated_rotation_makes_one_secret_and_shows_it_once(
    identity: Identity,
) -> None:
    client = await identity.make_client()
    key = {"Idempotency-Key": "one-key"}
    made = [await rotate(identity, client["id"], 3600, **key) for _ in range(2)]
    assert [one["secret"] is None for one in made] == [False, True]
    assert (made[1]["note"], made[1]["old_secret_until"]) == (
        "shown-once",
        made[0]["old_secret_until"],
    )
    assert await opens(identity, client["id"], client["secret"]) is True
    kept = [row async for row in identity.database["idempotency"].find({})]
    assert made[0]["secret"] not in str(kept)


@pytest.mark.rule("T5")
async def test_a_client_that_may_not_act_gets_no_token(identity: Identity) -> None:
    client = await identity.make_client()
    pair = client["id"], client["secret"]
    steps = [
        ("POST", f"{client['id']}/disable", "disabled", False),
        ("POST", f"{client['id']}/enable", "active", True),
        ("DELETE", client["id"], "deleted", False),
    ]
    for method, path, status, may_act in steps:
        for _ in range(2):
            assert (await act(identity, method, path)).expect(200)["status"] == status
            assert await opens(identity, *pair) is may_act
    names = [f"service_client.{name}" for name in ("disabled", "enabled", "deleted")]
    found = await identity.rows(*names)
    assert [row.action for row in found] == names
    assert [row.policy_objects[0].state is None for row in found] == [True, False, True]
    for method, path in (("POST", "enable"), ("POST", "disable"), ("DELETE", "old-secret")):
        refused = await act(identity, method, f"{client['id']}/{path}")
        assert (refused.status, refused.code) == (409, "client-deleted")
    refused = await act(identity, "POST", f"{client['id']}/secret", {"keep_old_seconds": 0})
    assert refused.code == "client-deleted"


@pytest.mark.rule("T5")
async def test_the_token_of_a_client_that_may_not_act_is_refused(identity: Identity) -> None:
    client = await identity.make_client(scopes=["members:provision"])
    granted = await identity.get_token(client, {"grant_type": "client_credentials"})
    token = granted.expect(200)["access_token"]
    body: dict[str, Any] = {"users": []}
    before = await identity.post("/v1/provisioning/users", body, token=token)
    await act(identity, "POST", f"{client['id']}/disable")
    after = await identity.post("/v1/provisioning/users", body, token=token)
    assert (before.status == 401, after.status, after.code) == (False, 401, "token-revoked")


async def test_clients_are_listed_without_their_secrets(identity: Identity) -> None:
    made = [await identity.make_client(name=name) for name in ("b", "a")]
    await act(identity, "DELETE", made[0]["id"])
    answer = await act(identity, "GET", "")
    found = (await identity.send("GET", PLACE, token=ADMIN_KEY)).expect(200)["items"]
    assert answer.status == 404
    assert [(one["name"], one["status"]) for one in found] == [("a", "active"), ("b", "deleted")]
    assert not any(client["secret"] in str(found) for client in made)


async def test_an_unknown_client_is_not_found(identity: Identity) -> None:
    acts = [("POST", "/disable"), ("POST", "/enable"), ("DELETE", ""), ("DELETE", "/old-secret")]
    for method, path in acts:
        assert (await act(identity, method, NO_CLIENT + path)).status == 404
    assert (await act(identity, "POST", f"{NO_CLIENT}/secret", {})).status == 404
