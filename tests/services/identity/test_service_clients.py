"""Tests of the operator's route that creates service clients."""

from __future__ import annotations

import asyncio

from shared.auth.principals import ClientPrincipal
from tests.services.identity.running import Identity
from tests.support.service import ADMIN_KEY, KEYS

CLIENT_MISFITS: list[dict[str, object]] = [
    {"scopes": []},
    {"scopes": ["everything"]},
    {"scopes": "authz:check"},
    {"name": ""},
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
