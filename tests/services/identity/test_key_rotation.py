"""Signing keys rotate under load without a false refusal, and a revoked one is refused at once."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import jwt
import pytest

from rolecall.client.jwt import BadToken
from shared.auth.access_tokens import TokenVerifier
from shared.auth.key_sources import RemoteKeys
from shared.clock import SystemClock
from shared.contracts.calls.identity import KEY_SET, KeySet
from shared.contracts.calls.leases import SNAPSHOT, SnapshotQuery
from tests.lengths import KEY_ROTATIONS
from tests.services.identity.running import running
from tests.support.service import ADMIN_KEY, ISSUER
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.clocks import SetClock
    from tests.services.identity.running import Identity

KEYS = "/internal/admin/signing-keys"
LEAD_SECONDS = 2


@asynccontextmanager
async def rotating(mongo_url: str, database: str) -> AsyncIterator[Identity]:
    """An identity on the machine's clock, whose keys may sign two seconds after they were made."""
    clock = cast("SetClock", SystemClock())  # nothing here moves it
    async with running(
        mongo_url, database, clock=clock, signing_key_lead_seconds=LEAD_SECONDS
    ) as identity:
        yield identity


async def keys_by_state(identity: Identity) -> dict[str, str]:
    found = (await identity.send("GET", KEYS, token=ADMIN_KEY)).expect(200)["items"]
    return {each["state"]: each["kid"] for each in reversed(found)}


async def rotate(identity: Identity) -> Any:
    """Rotate as soon as the next key was published long enough."""

    async def done() -> Any:
        answer = await identity.post(f"{KEYS}/rotate", token=ADMIN_KEY)
        if answer.status == 409:
            assert answer.code == "key-too-young"
            return None
        return answer.expect(200)

    return await wait_for(done, what="a rotation")


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def of_an_unknown_key(token: str) -> str:
    """The token with the id of a key that does not exist."""
    head = {"alg": "EdDSA", "typ": "at+jwt", "kid": "key_" + "0" * 32}
    text = base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=").decode()
    return ".".join((text, *token.split(".")[1:]))


@dataclass
class Load:
    """Requests with tokens of every key, at identity and at another service that knows its keys."""

    identity: Identity
    client: dict[str, str]
    keys: RemoteKeys
    verified: int = 0
    refused: list[str] = field(default_factory=list)
    kids: set[str] = field(default_factory=set)
    over: bool = False

    async def run(self) -> None:
        verifier = TokenVerifier(issuer=ISSUER, keys=self.keys, clock=SystemClock())
        while not self.over:
            issued = await self.identity.get_token(
                self.client, {"grant_type": "client_credentials"}
            )
            token = issued.expect(200)["access_token"]
            self.kids.add(kid_of(token))
            # A stranger uses up the attempts to fetch a key that is not known.
            with pytest.raises(BadToken):
                await verifier.verify(of_an_unknown_key(token))
            try:
                await verifier.verify(token)
            except BadToken:
                self.refused.append(f"verifier: {kid_of(token)}")
            answer = await self.identity.post("/v1/provisioning/users", {}, token=token)
            if answer.status == 401:
                self.refused.append(f"identity: {kid_of(token)}")
            self.verified += 1
            await asyncio.sleep(0.01)  # lets the rotation have its turn


@pytest.mark.rule("B1")
async def test_rotation_under_load_refuses_no_token(mongo_url: str, database_name: str) -> None:
    async with rotating(mongo_url, database_name) as identity:
        client = await identity.make_client(scopes=["members:provision"])

        async def fetch() -> KeySet:
            return await identity.notification.call(KEY_SET, "identity")

        load = Load(identity, client, RemoteKeys(fetch, clock=SystemClock()))
        running_load = asyncio.create_task(load.run())
        for _ in range(KEY_ROTATIONS):
            await rotate(identity)
        await wait_for(
            lambda: len(load.kids) > KEY_ROTATIONS or running_load.done(),
            what="tokens of the newest key",
        )
        load.over = True
        await running_load
    assert load.refused == []
    assert load.verified > KEY_ROTATIONS


@pytest.mark.rule("B1")
async def test_a_revoked_key_is_refused_and_a_new_sign_in_works(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name) as identity:
        person, client = await identity.person("ana@example.com"), await identity.make_client()
        token = person["access_token"]
        before = await keys_by_state(identity)
        assert before == {"next": before["next"], "active": kid_of(token)}
        too_young = await identity.post(f"{KEYS}/rotate", token=ADMIN_KEY)
        assert (too_young.status, too_young.code) == (409, "key-too-young")
        body = {"kid": kid_of(token)}
        (await identity.post(f"{KEYS}/revoke", body, token=ADMIN_KEY)).expect(200)
        refused = await identity.send("GET", "/v1/me", token=token)
        assert (refused.status, refused.code) == (401, "token-invalid")
        with pytest.raises(BadToken):
            await identity.verifier().verify(token)
        after = await keys_by_state(identity)
        assert (after["revoked"], after["active"]) == (before["active"], before["next"])
        again = {"refresh_token": person["refresh_token"]}
        fresh = (await identity.post("/v1/token/refresh", again)).expect(200)["access_token"]
        assert kid_of(fresh) == before["next"]
        assert (await identity.send("GET", "/v1/me", token=fresh)).status == 200
        [row] = await identity.rows("signing_key.revoked")
        page = await identity.callers["authz"].call(
            SNAPSHOT, "identity", SnapshotQuery(cursor=None)
        )
        assert [each for each in page.items if each.kind == "signing_key"] == list(
            row.policy_objects
        )
        repeated = await identity.post(f"{KEYS}/revoke", body, token=ADMIN_KEY)
        assert (repeated.status, repeated.code) == (404, "key-unknown")
        (await identity.post(f"{KEYS}/revoke", {}, token=ADMIN_KEY)).expect(200)
        everything = await keys_by_state(identity)
        assert {everything["active"], everything["next"]}.isdisjoint(after.values())
        issued = await identity.get_token(client, {"grant_type": "client_credentials"})
        assert kid_of(issued.expect(200)["access_token"]) == everything["active"]


async def test_replicas_follow_a_rotation_of_another_one(
    mongo_url: str, database_name: str
) -> None:
    async with (
        running(mongo_url, database_name) as one,
        running(mongo_url, database_name, clock=one.clock) as other,
    ):
        person = await one.person("ana@example.com")
        one.clock.move(601)
        await rotate(one)
        newest = (await keys_by_state(one))["active"]

        async def signs() -> bool:
            session = (await other.log_in("ana@example.com")).expect(200)
            return kid_of(session["access_token"]) == newest

        await wait_for(signs, what="a replica that signs with the new key")
        body = {"refresh_token": person["refresh_token"]}
        token = (await one.post("/v1/token/refresh", body)).expect(200)["access_token"]
        assert (await other.send("GET", "/v1/me", token=token)).status == 200
        (await one.post(f"{KEYS}/revoke", {"kid": newest}, token=ADMIN_KEY)).expect(200)

        async def refused() -> bool:
            return (await other.send("GET", "/v1/me", token=token)).status == 401

        await wait_for(refused, what="a replica that refuses the revoked key")


async def test_keys_rotate_by_themselves_after_ninety_days(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name) as identity:
        first = await keys_by_state(identity)
        identity.clock.move(90 * 86_400)

        async def rotated() -> bool:
            return (await keys_by_state(identity))["active"] == first["next"]

        await wait_for(rotated, what="a rotation")
        assert (await keys_by_state(identity))["retired"] == first["active"]


@pytest.mark.rule("B1")
async def test_a_key_that_others_wrote_into_the_database_is_not_published(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name) as identity:
        known = await keys_by_state(identity)
        stored = await identity.database["signing_keys"].find_one({"_id": known["active"]})
        assert stored is not None
        identity.clock.move(601)
        forged = stored | {"_id": "key_" + "f" * 32, "slot": 9, "state": "active"}
        forged["state_since"] = identity.clock.now()
        await identity.database["signing_keys"].insert_one(forged)
        await rotate(identity)  # reads the keys again
        shown = (await identity.send("GET", "/.well-known/jwks.json")).body["keys"]
        assert forged["_id"] not in {each["kid"] for each in shown}
        assert len(shown) == 3
