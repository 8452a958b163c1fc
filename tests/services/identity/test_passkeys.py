"""Passkeys: adding them, sign-in and step-up with them, and what they must not do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.identity.domain.rate_limits import PASSKEYS_PER_HOUR
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
from tests.support.unfolding import shared_references

OVER = ("passkey-challenge-over", 410)
REFUSED = ("passkey-refused", 401)
STALE = ("step-up-required", 401)


def told(answer: Any) -> tuple[str | None, int]:
    """The code of an answer's problem, and its status."""
    return (answer.body or {}).get("code"), answer.status


async def log_in(identity: Identity, proof: dict[str, Any]) -> Any:
    return await identity.post("/v1/login/passkey/finish", proof)


@pytest.mark.rule("B1")
async def test_a_passkey_signs_in_without_a_password(identity: Identity) -> None:
    _, passkey, _ = await with_passkey(identity)
    answer = await log_in(identity, await signed(identity, passkey))
    assert (answer.status, answer.body["user"]["email"]) == (200, EMAIL)
    assert (await identity.send("GET", "/v1/me", token=answer.body["access_token"])).status == 200
    removed = await identity.send("DELETE", "/v1/me/mfa/totp", token=answer.body["access_token"])
    assert removed.status == 404  # the sign-in is a fresh proof


async def test_a_passkey_of_a_cloud_does_not_count(identity: Identity) -> None:
    _, passkey, _ = await with_passkey(identity, counts=False)
    for _ in range(2):
        assert told(await log_in(identity, await signed(identity, passkey))) == (None, 200)


async def test_the_first_passkey_ends_other_sessions_and_gives_codes(identity: Identity) -> None:
    other = await identity.person(EMAIL)
    token = (await identity.log_in(EMAIL)).body["access_token"]
    added = (await add(identity, token, new_passkey())).body
    assert not await identity.is_live(other)
    assert told(await identity.log_in(EMAIL)) == ("otp-required", 401)
    code = added["recovery_codes"][0]
    assert len(added["recovery_codes"]) == 10
    assert told(await identity.log_in(EMAIL, otp=code)) == (None, 200)
    second = await add(identity, token, new_passkey(), name="Laptop")
    assert second.body["recovery_codes"] == []
    [row, later] = await identity.rows("user.second_factor_added")
    assert row.data["kind"] == "passkey"
    assert (row.data["beginning"], later.data["beginning"]) == (1, None)


async def test_passkeys_are_listed_renamed_and_removed(identity: Identity) -> None:
    token, _, added = await with_passkey(identity)
    path = f"/v1/me/passkeys/{added['id']}"
    renamed = await identity.send("PATCH", path, {"name": "Key"}, token=token)
    assert (renamed.status, renamed.body["name"]) == (200, "Key")
    refused = await identity.send("PATCH", path, {"name": "https://evil.example"}, token=token)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/name")
    listed = await identity.send("GET", "/v1/me/passkeys", token=token)
    assert [one["name"] for one in listed.body["items"]] == ["Key"]
    exported = await identity.send("GET", "/v1/me/export", token=token)
    assert [one["name"] for one in exported.body["passkeys"]] == ["Key"]
    assert (await identity.send("DELETE", path, token=token)).status == 204
    assert (await identity.send("DELETE", path, token=token)).status == 404
    assert told(await identity.log_in(EMAIL)) == (None, 200)
    assert len(await identity.rows("user.second_factor_removed")) == 1


async def test_changes_of_passkeys_need_a_fresh_proof(identity: Identity) -> None:
    token, passkey, added = await with_passkey(identity)
    options = await begun(identity, "/v1/me/passkey-challenges", token)
    identity.clock.move(301)
    path = f"/v1/me/passkeys/{added['id']}"
    assert told(await identity.post("/v1/me/passkey-challenges", token=token)) == STALE
    assert told(await finish(identity, token, options, new_passkey())) == STALE
    assert told(await identity.send("DELETE", path, token=token)) == STALE
    stepped = await identity.post(
        "/v1/me/step-up", {"passkey": await signed(identity, passkey)}, token=token
    )
    assert stepped.status == 200
    fresh = stepped.body["access_token"]
    assert (await identity.send("DELETE", path, token=fresh)).status == 204


async def test_the_first_passkey_is_a_fresh_proof_and_a_further_one_none(
    identity: Identity,
) -> None:
    session: dict[str, Any] = await identity.person(EMAIL)

    async def later(seconds: float) -> str:
        """The token of the session after this time."""
        identity.clock.move(seconds)
        body = {"refresh_token": session["refresh_token"]}
        session.update((await identity.post("/v1/token/refresh", body)).expect(200))
        return str(session["access_token"])

    assert told(await add(identity, await later(200), new_passkey())) == (None, 200)
    assert told(await add(identity, await later(200), new_passkey())) == (None, 200)
    begin = await identity.post("/v1/me/passkey-challenges", token=await later(200))
    assert told(begin) == STALE


@pytest.mark.rule("B1")
async def test_a_challenge_counts_once_also_at_the_same_moment(identity: Identity) -> None:
    token, passkey, _ = await with_passkey(identity, counts=False)
    proof = await signed(identity, passkey)
    answers = await asyncio.gather(
        *(log_in(identity, proof) for _ in range(3)),
        *(identity.post("/v1/me/step-up", {"passkey": proof}, token=token) for _ in range(2)),
    )
    assert sorted(answer.status for answer in answers) == [200, 410, 410, 410, 410]


async def test_a_challenge_counts_for_its_time_and_purpose(identity: Identity) -> None:
    _, passkey, _ = await with_passkey(identity)
    proof = await signed(identity, passkey)
    identity.clock.move(299)
    assert told(await log_in(identity, proof)) == (None, 200)
    proof = await signed(identity, passkey)
    identity.clock.move(timedelta(minutes=5).total_seconds())
    assert told(await log_in(identity, proof)) == OVER
    assert told(await log_in(identity, proof | {"challenge": "made-up"})) == OVER
    fresh = (await log_in(identity, await signed(identity, passkey))).body["access_token"]
    options = await begun(identity, "/v1/me/passkey-challenges", fresh)
    wrong = {"rpId": options["options"]["rp"]["id"], "challenge": options["options"]["challenge"]}
    answer = {"challenge": options["challenge"], "credential": passkey.get(wrong)}
    assert told(await log_in(identity, answer)) == OVER


async def test_a_challenge_to_add_is_of_its_user_and_session(identity: Identity) -> None:
    token = str((await identity.person(EMAIL))["access_token"])
    options = await begun(identity, "/v1/me/passkey-challenges", token)
    other = str((await identity.person("bo@example.com"))["access_token"])
    again = (await identity.log_in(EMAIL)).body["access_token"]
    for stranger in (other, again):
        assert told(await finish(identity, stranger, options, new_passkey())) == OVER
    sign_in = await begun(identity, "/v1/login/passkey/begin")
    mixed = {**options, "challenge": sign_in["challenge"]}
    assert told(await finish(identity, token, mixed, new_passkey())) == OVER
    assert told(await finish(identity, token, options, new_passkey())) == (None, 200)
    assert told(await finish(identity, token, options, new_passkey())) == OVER, "it was used"


@pytest.mark.parametrize(
    "defect",
    [
        {"origin": "https://evil.example"},
        {"verified": False},
        {"id": b"another-credential"},
        {"user_handle": encoded(b"usr_unknown")},
        {"user_handle": ""},
        {"key": SoftPasskey(origin="").key},
    ],
    ids=["origin", "not-verified", "unknown-id", "unknown-user", "no-user", "other-key"],
)
async def test_each_wrong_answer_gets_the_same_refusal(
    identity: Identity, defect: dict[str, Any]
) -> None:
    _, passkey, _ = await with_passkey(identity, counts=False)
    proof = await signed(identity, replace(passkey, **defect))
    answer = await log_in(identity, proof)
    assert told(answer) == REFUSED
    options = await begun(identity, "/v1/login/passkey/begin")
    forged = {"challenge": options["challenge"], "credential": proof["credential"]}
    assert told(await log_in(identity, forged)) == REFUSED


async def wrong_answers(
    identity: Identity, passkey: SoftPasskey
) -> list[tuple[tuple[str, int], dict[str, Any]]]:
    """Answers that can be sent again and again, each with its refusal."""
    forged = replace(passkey, key=SoftPasskey(origin="").key)
    made_up = await signed(identity, passkey) | {"challenge": "made-up"}
    return [(OVER, made_up), (REFUSED, await signed(identity, forged))]


@pytest.mark.rule("T8")
@pytest.mark.parametrize("kind", [0, 1], ids=["challenge", "signature"])
async def test_refused_passkeys_count_for_the_network_of_the_sender(
    mongo_url: str, database_name: str, kind: int
) -> None:
    async with running(mongo_url, database_name, logins_per_ip=2) as identity:
        _, passkey, _ = await with_passkey(identity)
        good = await signed(identity, passkey)
        refusal, wrong = (await wrong_answers(identity, passkey))[kind]
        for _ in range(2):
            assert told(await log_in(identity, wrong)) == refusal
        assert told(await log_in(identity, good)) == ("too-many-requests", 429)


@pytest.mark.rule("T8")
@pytest.mark.parametrize("kind", [0, 1], ids=["challenge", "signature"])
async def test_a_refused_passkey_at_a_step_up_counts_as_a_failed_sign_in(
    identity: Identity, kind: int
) -> None:
    token, passkey, _ = await with_passkey(identity)
    refusal, wrong = (await wrong_answers(identity, passkey))[kind]
    for _ in range(10):
        answer = await identity.post("/v1/me/step-up", {"passkey": wrong}, token=token)
        assert told(answer) == refusal
    assert (await identity.log_in(EMAIL)).status == 429
    assert {row.data["code"] for row in await identity.rows("session.refused")} == {refusal[0]}


@pytest.mark.rule("T8")
async def test_refused_passkeys_that_are_added_count_for_their_user(identity: Identity) -> None:
    token = str((await identity.person(EMAIL))["access_token"])
    other = str((await identity.person("bo@example.com"))["access_token"])
    made_up = {"challenge": "made-up", "name": "Phone"}
    unfolding = {"key": shared_references()}
    for number in range(PASSKEYS_PER_HOUR // 2):
        options = await begun(identity, "/v1/me/passkey-challenges", token)
        body = {
            "challenge": options["challenge"],
            "credential": new_passkey().create(options["options"], **unfolding),
            "name": f"Phone {number}",
        }
        assert told(await identity.post("/v1/me/passkeys", body, token=token)) == REFUSED
        assert told(await identity.post("/v1/me/passkeys", body | made_up, token=token)) == OVER
    assert (await add(identity, token, new_passkey())).status == 429
    assert (await add(identity, other, new_passkey())).status == 200


async def test_a_passkey_signs_for_this_host_only(identity: Identity) -> None:
    _, passkey, _ = await with_passkey(identity)
    options = await begun(identity, "/v1/login/passkey/begin")
    credential = passkey.get({**options["options"], "rpId": "evil.example"})
    answer = {"challenge": options["challenge"], "credential": credential}
    assert told(await log_in(identity, answer)) == REFUSED


@pytest.mark.parametrize("defect", [{"origin": "https://evil.example"}, {"verified": False}])
async def test_a_passkey_is_added_verified_and_here(
    identity: Identity, defect: dict[str, Any]
) -> None:
    token = str((await identity.person(EMAIL))["access_token"])
    wrong = replace(new_passkey(), **defect)
    assert told(await add(identity, token, wrong)) == REFUSED


async def test_what_no_authenticator_makes_is_refused(identity: Identity) -> None:
    token, passkey, _ = await with_passkey(identity)
    good = (await signed(identity, passkey))["credential"]
    broken = [
        {**good, "id": "?"},
        {**good, "response": {**good["response"], "signature": "?"}},
        {**good, "response": {**good["response"], "clientDataJSON": "e30"}},
        {**good, "response": {**good["response"], "authenticatorData": "AA"}},
        {**good, "response": {**good["response"], "userHandle": "_w"}},
        {**good, "rawId": "AA"},
    ]
    for credential in broken:
        options = await begun(identity, "/v1/login/passkey/begin")
        answer = {"challenge": options["challenge"], "credential": credential}
        assert told(await log_in(identity, answer)) == REFUSED
    for attestation in ("?", "AA", encoded(b"\xa0"), encoded(b"\x81" * 900)):
        options = await begun(identity, "/v1/me/passkey-challenges", token)
        made = new_passkey().create(options["options"])
        made["response"]["attestationObject"] = attestation
        body = {"challenge": options["challenge"], "credential": made, "name": "Phone"}
        assert told(await identity.post("/v1/me/passkeys", body, token=token)) == REFUSED


async def test_a_counter_that_goes_back_is_refused_and_told(identity: Identity) -> None:
    _, passkey, _ = await with_passkey(identity)
    copy = replace(passkey)
    for _ in range(2):
        assert told(await log_in(identity, await signed(identity, passkey))) == (None, 200)
    assert told(await log_in(identity, await signed(identity, copy))) == REFUSED
    [row] = await identity.rows("user.passkey_copy_suspected")
    assert (row.data["passkey"], row.data["email"]) == ("Phone", EMAIL)
    forged = replace(passkey, count=0, key=SoftPasskey(origin="").key)
    assert told(await log_in(identity, await signed(identity, forged))) == REFUSED
    assert len(await identity.rows("user.passkey_copy_suspected")) == 1


async def test_a_passkey_steps_up_its_own_user_only(identity: Identity) -> None:
    _, passkey, _ = await with_passkey(identity)
    other = str((await identity.person("bo@example.com"))["access_token"])
    body = {"passkey": await signed(identity, passkey)}
    assert told(await identity.post("/v1/me/step-up", body, token=other)) == REFUSED


async def test_a_passkey_stands_for_the_code_of_an_app(identity: Identity) -> None:
    token, passkey, added = await with_passkey(identity)
    await identity.add_totp(token)
    assert told(await log_in(identity, await signed(identity, passkey))) == (None, 200)
    path = f"/v1/me/passkeys/{added['id']}"
    assert (await identity.send("DELETE", path, token=token)).status == 204
    assert told(await log_in(identity, await signed(identity, passkey))) == REFUSED
    assert told(await identity.log_in(EMAIL)) == ("otp-required", 401)


async def test_a_disabled_user_is_refused(identity: Identity) -> None:
    _, passkey, _ = await with_passkey(identity)
    await identity.database["users"].update_one(
        {"email": EMAIL}, {"$set": {"disabled_at": identity.clock.now()}}
    )
    assert told(await log_in(identity, await signed(identity, passkey))) == ("user-disabled", 403)


async def test_the_last_way_to_sign_in_stays(identity: Identity) -> None:
    token, _, added = await with_passkey(identity)
    await identity.database["users"].update_one({"email": EMAIL}, {"$set": {"password_hash": None}})
    path = f"/v1/me/passkeys/{added['id']}"
    assert told(await identity.send("DELETE", path, token=token)) == ("last-sign-in", 409)
    second = await add(identity, token, new_passkey(), name="Laptop")
    assert second.status == 200
    assert (await identity.send("DELETE", path, token=token)).status == 204


async def test_a_user_has_each_passkey_once_and_ten_at_most(identity: Identity) -> None:
    token, passkey, _ = await with_passkey(identity)
    assert told(await add(identity, token, passkey)) == ("passkey-known", 409)
    for number in range(9):
        added = await add(identity, token, new_passkey(), name=f"Key {number}")
        assert added.status == 200
    full = await identity.post("/v1/me/passkey-challenges", token=token)
    assert told(full) == ("too-many-passkeys", 409)
