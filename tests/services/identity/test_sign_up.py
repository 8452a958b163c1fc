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
    assert row.action == "user.signed_up"
    assert row.data["email"] == "Ana@Example.com"
    assert row.data["generation"] == 1
    assert row.account_id == row.data["account_id"]
    assert row.data["account_id"].startswith("acc_")
    assert row.actor.id == row.data["user_id"]
    assert payload_of(row) is not None


async def test_no_document_contains_a_link_a_password_or_a_token(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    user = await identity.newest_user("ana@example.com")
    link = await identity.link(user)
    session = (await identity.post("/v1/email/verify", link)).body
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
        again = await identity.sign_up(email, password="the-password-of-another")
        new = await identity.sign_up("new" + email)
        assert (again.status, again.text) == (new.status, new.text)
        assert set(again.headers) == set(new.headers)
    assert await identity.database["users"].count_documents({"email_key": "ana@example.com"}) == 1
    assert (await identity.log_in("ana@example.com")).status == 200
    refused = await identity.rows("session.refused")
    assert [row.reason for row in refused] == ["account-exists", "account-exists"]
    assert {row.data["user_id"] for row in refused} == {known["user"]["id"]}


@pytest.mark.rule("Ci2", "Rp1")
async def test_a_mailed_invitation_verifies_the_address_and_signs_in(identity: Identity) -> None:
    await identity.sign_up("bo@example.com", password="squatters-password")
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
    assert [action for action in actions if action != "session.refused"][-3:] == [
        "user.signed_up",
        "user.verified",
        "session.started",
    ]
    assert (await identity.log_in("bo@example.com", "squatters-password")).status == 401


async def test_signing_up_by_a_mailed_invitation_can_be_repeated(identity: Identity) -> None:
    proof = identity.stand_ins.invite("bo@example.com", "email")
    body = {"name": "Bo", "password": PASSWORD, "invitation": proof}
    first = await identity.post("/v1/signup", body)
    again = await identity.post("/v1/signup", body)
    assert (first.status, again.status) == (201, 201)
    assert first.body["user"]["id"] == again.body["user"]["id"]
    other = await identity.post("/v1/signup", body | {"password": "another-password-1"})
    assert (other.status, other.body["code"]) == (409, "account-exists")


async def test_an_invitation_that_was_handed_over_does_not_verify_the_address(
    identity: Identity,
) -> None:
    await identity.person("known@example.com")
    answers = []
    for email in ("known@example.com", "new@example.com"):
        proof = identity.stand_ins.invite(email, "link")
        body = {"name": "Bo", "password": "another-password-1", "invitation": proof}
        answers.append(await identity.post("/v1/signup", body))
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].text == answers[1].text
    assert (await identity.log_in("new@example.com", "another-password-1")).status == 401


@pytest.mark.parametrize("address", ["typed", "of an invitation that was handed over"])
async def test_sign_up_then_sign_in_does_not_show_whether_the_user_existed(
    identity: Identity, address: str
) -> None:
    await identity.person("known@example.com")
    told = []
    for email in ("known@example.com", "new@example.com"):
        body: dict[str, object] = {"name": "Bo", "password": "another-password-1"}
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
    ({"password": "short"}, "/password"),
    ({"password": "password123"}, "/password"),
    ({"password": "ana12345"}, "/password"),
    ({"password": "x" * 129}, "/password"),
    ({"verified": True}, "/verified"),
    ({"account_id": "acc_1"}, "/account_id"),
    ({"invitation": {"token": "t", "code": "c"}}, ""),
]


async def test_a_refused_sign_up_names_the_wrong_field(identity: Identity) -> None:
    for change, pointer in MISFITS:
        body = {"email": "ana@example.com", "name": "Ana", "password": PASSWORD} | change
        answer = await identity.post("/v1/signup", body)
        assert answer.status == 422, change
        assert [error["pointer"] for error in answer.body["errors"]] == [pointer], change
    assert await identity.rows() == []


async def test_sign_up_is_refused_when_too_many_passwords_wait(
    mongo_url: str, database_name: str
) -> None:
    hasher = HeldHasher()
    async with running(mongo_url, database_name, wiring={"hasher": hasher}) as identity:
        tried = [
            asyncio.create_task(identity.sign_up(f"user{number}@example.com"))
            for number in range(12)
        ]
        await wait_for(lambda: sum(one.done() for one in tried) == 10, what="the refusals")
        hasher.go_on.set()
        answers = await asyncio.gather(*tried)
        refused = [answer for answer in answers if answer.status == 429]
        assert len(refused) == 10
        assert {answer.body["code"] for answer in refused} == {"busy"}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
