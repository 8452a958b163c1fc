"""A person with a passkey, from adding to removing it, and answers that change nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.mfa import SecondFactors
from services.identity.store import Store
from tests.services.identity.ceremonies import (
    EMAIL,
    add,
    begun,
    finish,
    new_passkey,
    signed,
    with_passkey,
)
from tests.services.identity.running import Identity, running
from tests.support.passkeys import SoftPasskey, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.ids import UserId
    from shared.mongo import DbSession

SIGN_IN = "/v1/login/passkey/finish"
KEPT = ("factors", "users", "sessions", "identities", "api_tokens")


async def stored(identity: Identity) -> dict[str, list[dict[str, Any]]]:
    """What identity knows of its users, and the actions of its journal."""
    found = {
        name: [row async for row in identity.database[name].find({}).sort("_id", 1)]
        for name in KEPT
    }
    return found | {"facts": [{"action": row.action} for row in await identity.rows()]}


@pytest.mark.rule("B1")
async def test_a_person_adds_uses_and_removes_a_passkey(identity: Identity) -> None:
    token = str((await identity.person(EMAIL))["access_token"])
    passkey = new_passkey()
    added = (await add(identity, token, passkey)).expect(200)
    assert (await identity.log_in(EMAIL)).code == "otp-required"
    session = (await identity.post(SIGN_IN, await signed(identity, passkey))).expect(200)
    assert session["user"]["email"] == EMAIL

    identity.clock.move(301)
    body = {"refresh_token": session["refresh_token"]}
    stale = (await identity.post("/v1/token/refresh", body)).expect(200)["access_token"]
    path = f"/v1/me/passkeys/{added['id']}"
    assert (await identity.send("DELETE", path, token=stale)).code == "step-up-required"
    proof = {"passkey": await signed(identity, passkey)}
    fresh = (await identity.post("/v1/me/step-up", proof, token=stale)).expect(200)["access_token"]
    [listed] = (await identity.send("GET", "/v1/me/passkeys", token=fresh)).expect(200)["items"]
    assert listed["used_at"] is not None
    (await identity.send("DELETE", path, token=fresh)).expect(204)
    refused = await identity.post(SIGN_IN, await signed(identity, passkey))
    assert refused.code == "passkey-refused"
    (await identity.log_in(EMAIL)).expect(200)
    told = await identity.actions_of(session["user"]["id"])
    assert [one for one in told if "factor" in one] == [
        "user.second_factor_added",
        "user.second_factor_removed",
    ]


DEFECTS: Mapping[str, dict[str, Any]] = {
    "another origin": {"origin": "https://evil.example"},
    "a person who was not verified": {"verified": False},
    "a counter that went back": {"count": -1},
    "a key that was not added": {"key": SoftPasskey(origin="").key},
    "a passkey that was not added": {"id": b"another"},
    "a user who does not exist": {"user_handle": encoded(b"usr_unknown")},
}


@pytest.mark.rule("T5")
@pytest.mark.parametrize("defect", DEFECTS)
async def test_a_refused_sign_in_changes_nothing(identity: Identity, defect: str) -> None:
    _, passkey, _ = await with_passkey(identity)
    (await identity.post(SIGN_IN, await signed(identity, passkey))).expect(200)
    proof = await signed(identity, replace(passkey, **DEFECTS[defect]))
    before = await stored(identity)
    assert (await identity.post(SIGN_IN, proof)).code == "passkey-refused"
    after = await stored(identity)
    told = after["facts"][len(before["facts"]) :]
    copy = [{"action": "user.passkey_copy_suspected"}] if "counter" in defect else []
    assert told == copy
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}


async def test_another_users_passkey_serves_its_own_user_alone(identity: Identity) -> None:
    """Also where its answer names the other user."""
    _, passkey, _ = await with_passkey(identity)
    bo = await identity.person("bo@example.com")
    passkey.user_handle = encoded(bo["user"]["id"].encode())
    before = await stored(identity)
    refused = await identity.post(SIGN_IN, await signed(identity, passkey))
    assert refused.code == "passkey-refused"
    proof = {"passkey": await signed(identity, passkey)}
    refused = await identity.post("/v1/me/step-up", proof, token=bo["access_token"])
    assert refused.code == "passkey-refused"
    after = await stored(identity)
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}


@pytest.mark.parametrize("change", [{"rp": {"id": "evil.example"}}, {"challenge": "AAAA"}])
async def test_a_new_passkey_of_another_host_or_challenge_is_refused(
    identity: Identity, change: dict[str, Any]
) -> None:
    token = str((await identity.person(EMAIL))["access_token"])
    options = await begun(identity, "/v1/me/passkey-challenges", token)
    wrong = {**options, "options": {**options["options"], **change}}
    before = await stored(identity)
    assert (await finish(identity, token, wrong, new_passkey())).code == "passkey-refused"
    assert await stored(identity) == before


async def test_a_challenge_counts_once_at_two_replicas(mongo_url: str, database_name: str) -> None:
    async with (
        running(mongo_url, database_name) as one,
        running(mongo_url, database_name, clock=one.clock) as other,
    ):
        token, passkey, _ = await with_passkey(one, counts=False)
        proof = await signed(one, passkey)
        answers = await asyncio.gather(*(each.post(SIGN_IN, proof) for each in (one, other)))
        assert sorted(each.status for each in answers) == [200, 410]
        options = await begun(one, "/v1/me/passkey-challenges", token)
        new = new_passkey()
        answers = await asyncio.gather(
            *(finish(each, token, options, new) for each in (one, other))
        )
        assert sorted(each.status for each in answers) == [200, 410]
        listed = await one.send("GET", "/v1/me/passkeys", token=token)
        assert len(listed.expect(200)["items"]) == 2


class FactorsOfBefore(Store):
    """Outside a transaction it sees the factors as at its first look."""

    seen: SecondFactors | None = None

    async def factors(self, user_id: UserId, session: DbSession | None = None) -> SecondFactors:
        if session is not None or self.seen is None:
            found = await super().factors(user_id, session)
            self.seen = self.seen or found
            return found
        return self.seen


async def test_a_counter_counts_once_at_two_replicas(mongo_url: str, database_name: str) -> None:
    """Another replica counts while an answer of a copy is on its way: the write refuses it."""
    wiring = {"store": FactorsOfBefore}
    async with (
        running(mongo_url, database_name) as one,
        running(mongo_url, database_name, clock=one.clock, wiring=wiring) as other,
    ):
        _, passkey, _ = await with_passkey(one)
        (await other.post(SIGN_IN, await signed(one, passkey))).expect(200)
        copy = replace(passkey)
        (await one.post(SIGN_IN, await signed(one, passkey))).expect(200)
        refused = await other.post(SIGN_IN, await signed(one, copy))
        assert (refused.status, refused.code) == (401, "passkey-refused")
