"""Tests of sign-up, alone and by an invitation."""

from __future__ import annotations

import asyncio

import pytest

from shared.contracts.registry import payload_of
from tests.services.identity.faults import HeldHasher
from tests.services.identity.running import PASSWORD, Identity, running
from tests.waiting import wait_for


@pytest.mark.rule("Rp1")
async def test_a_sign_up_records_a_fact_and_gives_no_session(identity: Identity) -> None:
    answer = await identity.sign_up("Ana@Example.com", name="Ana Díaz")
    assert answer.status == 202
    assert answer.body == {"status": "verification-sent"}
    (row,) = await identity.rows()
    assert row.action == "sign_up.requested"
    assert row.data["email"] == "Ana@Example.com"
    assert row.data["generation"] == 1
    assert row.resource.id == row.data["sign_up_id"]
    assert (row.account_id, row.actor.type) == (None, "anonymous")
    assert payload_of(row) is not None
    assert await identity.database["users"].count_documents({}) == 0


async def test_no_document_contains_a_link_a_password_or_a_token(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    [link] = await identity.mailed_links("ana@example.com")
    session = (await identity.verify(link)).body
    await identity.forgot("ana@example.com")
    reset_token = await identity.mailed_reset("ana@example.com")
    client = await identity.make_client()
    everything = [
        repr(document)
        for name in await identity.database.list_collection_names()
        async for document in identity.database[name].find({})
    ]
    for secret in (
        PASSWORD,
        link["token"],
        link["token"].rpartition(".")[2],
        link["code"],
        reset_token,
        reset_token.rpartition(".")[2],
        session["refresh_token"],
        session["refresh_token"].rpartition(".")[2],
        session["access_token"],
        client["secret"],
    ):
        assert not any(secret in document for document in everything)


@pytest.mark.rule("T9")
async def test_sign_up_answers_the_same_for_a_known_address_and_adds_no_user(
    identity: Identity,
) -> None:
    known = await identity.person("ana@example.com")
    for email in ("ana@example.com", "ANA@EXAMPLE.com"):
        again = await identity.sign_up(email, name="Another")
        new = await identity.sign_up("new" + email)
        assert (again.status, again.text) == (new.status, new.text)
        assert set(again.headers) == set(new.headers)
    assert await identity.database["users"].count_documents({"email_key": "ana@example.com"}) == 1
    assert (await identity.log_in("ana@example.com")).status == 200
    refused = await identity.rows("user.sign_up_refused")
    assert [row.reason for row in refused] == ["account-exists", "account-exists"]
    assert {row.data["user_id"] for row in refused} == {known["user"]["id"]}
    assert {row.data["name"] for row in refused} == {"Ana"}
    pending = await identity.database["sign_ups"].find_one({"email_key": "ana@example.com"})
    assert pending is not None
    assert pending["used_at"] is not None


@pytest.mark.rule("Ci2", "Rp1")
async def test_a_mailed_invitation_verifies_the_address_and_signs_in(identity: Identity) -> None:
    await identity.sign_up("bo@example.com", name="Squatter")
    [squatters_link] = await identity.mailed_links("bo@example.com")
    proof = identity.stand_ins.invite("bo@example.com", "email")
    body = {"name": "Bo", "password": PASSWORD, "invitation": proof}
    answer = await identity.post("/v1/signup", body)
    assert answer.status == 201
    assert answer.body["user"] == {
        "id": answer.body["user"]["id"],
        "email": "bo@example.com",
        "name": "Bo",
        "verified": True,
    }
    actions = await identity.actions_of(answer.body["user"]["id"])
    assert [action for action in actions if action != "sign_up.requested"] == [
        "user.signed_up",
        "user.verified",
        "session.started",
    ]
    assert (await identity.verify(squatters_link)).status == 410
    assert await identity.database["sign_ups"].count_documents({}) == 0


async def test_a_mailed_invitation_needs_a_good_password(identity: Identity) -> None:
    proof = identity.stand_ins.invite("bo@example.com", "email")
    for password in ({}, {"password": "short"}, {"password": "passwordpassword"}):
        answer = await identity.post("/v1/signup", {"name": "Bo", "invitation": proof} | password)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/password")
    assert await identity.rows() == []


async def test_signing_up_by_a_mailed_invitation_can_be_repeated(identity: Identity) -> None:
    proof = identity.stand_ins.invite("bo@example.com", "email")
    body = {"name": "Bo", "password": PASSWORD, "invitation": proof}
    first = await identity.post("/v1/signup", body)
    again = await identity.post("/v1/signup", body)
    assert (first.status, again.status) == (201, 201)
    assert first.body["user"]["id"] == again.body["user"]["id"]
    other = await identity.post("/v1/signup", body | {"password": "another-password-1"})
    assert (other.status, other.body["code"]) == (409, "account-exists")


@pytest.mark.rule("T8")
async def test_a_password_that_is_guessed_by_an_invitation_is_a_failed_sign_in(
    identity: Identity,
) -> None:
    await identity.person("bo@example.com")
    proof = identity.stand_ins.invite("bo@example.com", "email")
    body = {"name": "Bo", "password": "another-password-1", "invitation": proof}
    for _ in range(10):
        assert (await identity.post("/v1/signup", body)).status == 409
    assert (await identity.post("/v1/signup", body | {"password": PASSWORD})).status == 429
    assert (await identity.log_in("bo@example.com")).status == 429


@pytest.mark.parametrize("password", ["another-password-1", "weak", None])
async def test_an_invitation_that_was_handed_over_sets_no_password(
    identity: Identity, password: str | None
) -> None:
    await identity.person("known@example.com")
    answers = []
    for email in ("known@example.com", "new@example.com"):
        proof = identity.stand_ins.invite(email, "link")
        body = {"name": "Bo", "invitation": proof}
        answers.append(
            await identity.post("/v1/signup", body | ({"password": password} if password else {}))
        )
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].text == answers[1].text
    assert set(answers[0].headers) == set(answers[1].headers)
    for email in ("known@example.com", "new@example.com"):
        assert (await identity.log_in(email, password or "x")).status == 401
    [link] = await identity.mailed_links("new@example.com")
    session = (await identity.verify(link)).expect(200)
    assert session["user"]["name"] == "Bo"
    assert (await identity.log_in("new@example.com", password or "x")).status == 401
    assert (await identity.log_in("new@example.com")).status == 200


@pytest.mark.parametrize("address", ["typed", "of an invitation that was handed over"])
async def test_sign_up_then_sign_in_does_not_show_whether_the_user_existed(
    identity: Identity, address: str
) -> None:
    await identity.person("known@example.com")
    told = []
    for email in ("known@example.com", "new@example.com"):
        body: dict[str, object] = {"name": "Bo"}
        if address == "typed":
            body["email"] = email
        else:
            body["invitation"] = identity.stand_ins.invite(email, "link")
        answers = [await identity.post("/v1/signup", body)]
        # One attempt more than the limit: the limit must not show a difference either.
        answers += [await identity.log_in(email, "another-password-1") for _ in range(11)]
        for answer in answers:
            answer.body.pop("request_id", None)
        told.append([(answer.status, answer.body, set(answer.headers)) for answer in answers])
    assert told[0] == told[1]
    assert [status for status, *_ in told[0]] == [202, *[401] * 10, 429]


@pytest.mark.rule("Ro8")
async def test_a_wrong_invitation_is_refused(identity: Identity) -> None:
    body = {"name": "Bo", "password": PASSWORD, "invitation": {"token": "t", "code": "c"}}
    answer = await identity.post("/v1/signup", body)
    assert (answer.status, answer.body["code"]) == (410, "invitation-not-valid")


MISFITS: list[tuple[dict[str, object], str]] = [
    ({"email": "v@x.example,evil@x.example"}, "/email"),
    ({"email": "v@x.example\r\nBcc: evil@x.example"}, "/email"),
    ({"email": "v"}, "/email"),
    ({"name": "  "}, "/name"),
    ({"name": "a" * 101}, "/name"),
    ({"name": "Bo\r\nBcc: evil@x.example"}, "/name"),
    ({"name": "Bo\u202egnp"}, "/name"),
    ({"password": PASSWORD}, "/password"),
    ({"password": "short"}, "/password"),
    ({"verified": True}, "/verified"),
    ({"account_id": "acc_1"}, "/account_id"),
    ({"invitation": {"token": "t", "code": "c"}}, ""),
]


async def test_a_refused_sign_up_names_the_wrong_field(identity: Identity) -> None:
    for change, pointer in MISFITS:
        body = {"email": "ana@example.com", "name": "Ana"} | change
        answer = await identity.post("/v1/signup", body)
        assert answer.status == 422, change
        assert [error["pointer"] for error in answer.body["errors"]] == [pointer], change
    assert await identity.rows() == []


async def test_verification_is_refused_when_too_many_passwords_wait(
    mongo_url: str, database_name: str
) -> None:
    hasher = HeldHasher()
    async with running(mongo_url, database_name, wiring={"hasher": hasher}) as identity:
        links = []
        for number in range(12):
            await identity.sign_up(f"user{number}@example.com")
            links += await identity.mailed_links(f"user{number}@example.com")
        tried = [asyncio.create_task(identity.verify(link)) for link in links]
        await wait_for(lambda: sum(one.done() for one in tried) == 11, what="the refusals")
        hasher.go_on.set()
        answers = await asyncio.gather(*tried)
        refused = [answer for answer in answers if answer.status == 429]
        assert len(refused) == 11
        assert {answer.body["code"] for answer in refused} == {"busy"}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
