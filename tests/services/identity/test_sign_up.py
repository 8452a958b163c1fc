"""Does a person become a user, and does nobody learn who already is one?"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from pymongo.errors import ConnectionFailure

from services.identity.passwords import Busy, Passwords
from services.identity.store import Store
from shared.contracts.calls import VERIFICATION_LINK, VerificationLinkRequest
from shared.contracts.registry import payload_of
from shared.journal import Journal
from shared.problems import Refusal, Unavailable
from tests.services.identity.running import ISSUER, PASSWORD, Identity, running
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_a_new_user_is_told_of_and_gets_no_session(identity: Identity) -> None:
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


async def test_the_mailed_link_proves_the_address_and_signs_in(identity: Identity) -> None:
    session = await identity.person("ana@example.com")
    assert session["user"]["email"] == "ana@example.com"
    assert session["user"]["verified"] is True
    actions = await identity.actions_of(session["user"]["id"])
    assert actions == ["user.signed_up", "user.verified", "session.started"]
    me = await identity.send("GET", "/v1/me", token=session["access_token"])
    assert me.status == 200
    assert me.body["account_id"] == session["account_id"]


async def test_no_row_and_no_document_holds_the_link_or_the_password(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    user = await identity.newest_user("ana@example.com")
    link = await identity.link(user)
    session = (await identity.post("/v1/email/verify", link)).body
    everything = [
        repr(document)
        for name in await identity.database.list_collection_names()
        async for document in identity.database[name].find({})
    ]
    client = await identity.make_client()
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


async def test_the_link_in_the_mail_leads_to_the_public_url(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    user = await identity.newest_user("ana@example.com")
    request = VerificationLinkRequest(kind="verification", id=user, generation=1)
    answer = await identity.notification.call(VERIFICATION_LINK, "identity", request)
    assert answer.url.startswith(f"{ISSUER}/verify#token={user}.1.")
    assert len(answer.code) == 8


async def test_a_used_link_signs_in_again_for_ten_minutes_and_then_no_more(
    identity: Identity,
) -> None:
    await identity.sign_up("ana@example.com")
    link = await identity.link(await identity.newest_user("ana@example.com"))
    first = await identity.post("/v1/email/verify", link)
    identity.clock.move(599)
    again = await identity.post("/v1/email/verify", link)
    assert (first.status, again.status) == (200, 200)
    identity.clock.move(2)
    late = await identity.post("/v1/email/verify", link)
    assert (late.status, late.body["code"]) == (410, "link-invalid")
    assert len(await identity.rows("user.verified")) == 1


async def test_a_link_that_is_not_ours_is_refused_like_a_used_one(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    link = await identity.link(await identity.newest_user("ana@example.com"))
    token, code = link["token"], link["code"]
    spoiled = [
        {"token": token[:-2] + ("AA" if token[-2:] != "AA" else "BA")},
        {"token": token.replace(".1.", ".2.")},
        {"token": "usr_" + "0" * 32 + token[36:]},
        {"token": token, "code": code[::-1]},
        {"token": "x"},
    ]
    for body in spoiled:
        answer = await identity.post("/v1/email/verify", body)
        assert (answer.status, answer.body["code"]) == (410, "link-invalid"), body
    assert await identity.rows("user.verified") == []
    assert (await identity.post("/v1/email/verify", link)).status == 200


async def test_a_resent_link_works_and_the_earlier_one_does_not(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    user = await identity.newest_user("ana@example.com")
    old = await identity.link(user)
    answer = await identity.post("/v1/email/resend", {"email": "ANA@example.com"})
    assert (answer.status, answer.body) == (202, {"status": "verification-sent"})
    (resent,) = await identity.rows("user.verification_resent")
    assert resent.data["generation"] == 2
    assert (await identity.post("/v1/email/verify", old)).status == 410
    new = await identity.link(user, generation=2)
    assert (await identity.post("/v1/email/verify", new)).status == 200


async def test_a_superseded_or_used_link_is_not_given_to_be_mailed(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    user = await identity.newest_user("ana@example.com")
    request = VerificationLinkRequest(kind="verification", id=user, generation=1)
    link = await identity.link(user)
    await identity.post("/v1/email/verify", link)
    with pytest.raises(Refusal, match="does not work") as refused:
        await identity.notification.call(VERIFICATION_LINK, "identity", request)
    assert refused.value.status == 410


async def test_who_does_not_verify_in_seven_days_never_was(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    link = await identity.link(await identity.newest_user("ana@example.com"))
    identity.clock.move(7 * 24 * 3600)
    assert (await identity.post("/v1/email/verify", link)).status == 410
    assert (await identity.log_in("ana@example.com")).status == 401


async def test_whoever_proves_an_address_takes_it_over(identity: Identity) -> None:
    await identity.sign_up("ana@example.com", password="squatters-password")
    squatter = await identity.newest_user("ana@example.com")
    squatters_link = await identity.link(squatter)
    identity.clock.move(1)
    owner = await identity.person("ana@example.com")
    assert owner["user"]["id"] != squatter
    wrong = await identity.log_in("ana@example.com", "squatters-password")
    assert (wrong.status, wrong.body["code"]) == (401, "wrong-credentials")
    assert (await identity.log_in("ana@example.com")).status == 200
    assert (await identity.post("/v1/email/verify", squatters_link)).status == 410


async def test_an_address_has_one_verified_user_however_many_links_are_used_at_once(
    identity: Identity,
) -> None:
    links = []
    for _ in range(3):
        await identity.sign_up("ana@example.com")
        links.append(await identity.link(await identity.newest_user("ana@example.com")))
    answers = await asyncio.gather(*(identity.post("/v1/email/verify", link) for link in links))
    assert sorted(answer.status for answer in answers) == [200, 410, 410]
    assert await identity.database["users"].count_documents({"email_key": "ana@example.com"}) == 1


async def test_a_known_address_answers_as_a_new_one_and_gets_no_second_user(
    identity: Identity,
) -> None:
    known = await identity.person("ana@example.com")
    for email in ("ana@example.com", "ANA@EXAMPLE.com"):
        again = await identity.sign_up(email, password="somebody-elses-password")
        new = await identity.sign_up("new" + email)
        assert (again.status, again.text) == (new.status, new.text)
        assert set(again.headers) == set(new.headers)
    assert await identity.database["users"].count_documents({"email_key": "ana@example.com"}) == 1
    assert (await identity.log_in("ana@example.com")).status == 200
    refused = await identity.rows("session.refused")
    assert [row.reason for row in refused] == ["account-exists", "account-exists"]
    assert {row.data["user_id"] for row in refused} == {known["user"]["id"]}


async def test_a_resend_answers_alike_for_known_unverified_and_unknown_addresses(
    identity: Identity,
) -> None:
    await identity.person("ana@example.com")
    await identity.sign_up("bo@example.com")
    answers = [
        await identity.post("/v1/email/resend", {"email": email})
        for email in ("ana@example.com", "bo@example.com", "nobody@example.com")
    ]
    assert {(answer.status, answer.text) for answer in answers} == {
        (202, '{"status":"verification-sent"}')
    }
    assert len(await identity.rows("user.verification_resent")) == 1


async def test_an_address_gets_five_mails_an_hour_whether_it_is_known_or_not(
    identity: Identity,
) -> None:
    await identity.person("known@example.com")  # the first of its five
    for address, left in (("known@example.com", 4), ("new@example.com", 5)):
        statuses = [(await identity.sign_up(address)).status for _ in range(left)]
        assert statuses == [202] * left
        over = await identity.sign_up(address)
        assert (over.status, over.body["code"]) == (429, "too-many-requests")
        assert 0 < int(over.headers["Retry-After"]) <= 3600
        resent = await identity.post("/v1/email/resend", {"email": address})
        assert resent.status == 429
    identity.clock.move(3601)
    assert (await identity.sign_up("new@example.com")).status == 202


@pytest.mark.parametrize(
    ("where", "name", "problem"),
    [
        (Passwords, "_run", Busy(retry_after=1)),
        (Journal, "write", Unavailable()),
        (Store, "holder", ConnectionFailure("gone")),
    ],
)
async def test_what_sent_no_mail_counts_as_none(
    identity: Identity,
    monkeypatch: pytest.MonkeyPatch,
    where: type[Any],
    name: str,
    problem: Exception,
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise problem

    await identity.sign_up("ana@example.com")
    with monkeypatch.context() as failing:
        failing.setattr(where, name, fail)
        for _ in range(5):
            assert (await identity.sign_up("ana@example.com")).status in {429, 503}
            if where is not Passwords:  # a resend hashes nothing
                again = await identity.post("/v1/email/resend", {"email": "ana@example.com"})
                assert again.status == 503
    statuses = [(await identity.sign_up("ana@example.com")).status for _ in range(5)]
    assert statuses == [202] * 4 + [429]


async def test_one_sender_cannot_have_mails_sent_to_many_addresses(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, mails_per_ip=3) as identity:
        sent = [await identity.sign_up(f"user{n}@example.com") for n in range(2)]
        sent.append(await identity.post("/v1/email/resend", {"email": "user0@example.com"}))
        assert [answer.status for answer in sent] == [202] * 3

        over = await identity.sign_up("user3@example.com")
        assert (over.status, over.body["code"]) == (429, "too-many-requests")
        assert 0 < int(over.headers["Retry-After"]) <= 3600
        again = await identity.post("/v1/email/resend", {"email": "user1@example.com"})
        assert again.status == 429

        elsewhere = {"X-Forwarded-For": "198.51.100.7"}
        assert (await identity.sign_up("user3@example.com", headers=elsewhere)).status == 202
        identity.clock.move(3601)
        assert (await identity.sign_up("user4@example.com")).status == 202


async def test_a_mailed_invitation_proves_the_address_and_signs_in(identity: Identity) -> None:
    await identity.sign_up("bo@example.com", password="squatters-password")
    proof = identity.neighbours.invite("bo@example.com", "email")
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
    proof = identity.neighbours.invite("bo@example.com", "email")
    body = {"name": "Bo", "password": PASSWORD, "invitation": proof}
    first = await identity.post("/v1/signup", body)
    again = await identity.post("/v1/signup", body)
    assert (first.status, again.status) == (201, 201)
    assert first.body["user"]["id"] == again.body["user"]["id"]
    other = await identity.post("/v1/signup", body | {"password": "another-password-1"})
    assert (other.status, other.body["code"]) == (409, "account-exists")


async def test_an_invitation_that_was_handed_over_proves_nothing(identity: Identity) -> None:
    await identity.person("known@example.com")
    answers = []
    for email in ("known@example.com", "new@example.com"):
        proof = identity.neighbours.invite(email, "link")
        body = {"name": "Bo", "password": "another-password-1", "invitation": proof}
        answers.append(await identity.post("/v1/signup", body))
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].text == answers[1].text
    assert (await identity.log_in("new@example.com", "another-password-1")).status == 401


@pytest.mark.parametrize("address", ["typed", "of an invitation that was handed over"])
async def test_signing_up_and_then_in_does_not_tell_whether_the_address_had_a_user(
    identity: Identity, address: str
) -> None:
    await identity.person("known@example.com")
    told = []
    for email in ("known@example.com", "new@example.com"):
        body: dict[str, object] = {"name": "Bo", "password": "another-password-1"}
        if address == "typed":
            body["email"] = email
        else:
            body["invitation"] = identity.neighbours.invite(email, "link")
        answers = [await identity.post("/v1/signup", body)]
        # As many as there may be, and one more: they must run out alike, too.
        answers += [await identity.log_in(email, "another-password-1") for _ in range(11)]
        for answer in answers:
            answer.body.pop("request_id", None)
        told.append([(answer.status, answer.body, set(answer.headers)) for answer in answers])
    assert told[0] == told[1]
    assert [status for status, *_ in told[0]] == [202, *[401] * 10, 429]


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


async def test_a_sign_up_that_does_not_fit_says_where(identity: Identity) -> None:
    for change, pointer in MISFITS:
        body = {"email": "ana@example.com", "name": "Ana", "password": PASSWORD} | change
        answer = await identity.post("/v1/signup", body)
        assert answer.status == 422, change
        assert [error["pointer"] for error in answer.body["errors"]] == [pointer], change
    assert await identity.rows() == []


async def test_sign_up_says_busy_instead_of_waiting_without_end(
    mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, run = threading.Event(), Passwords._run

    async def held(passwords: Passwords, work: Callable[[], Any]) -> Any:
        return await run(passwords, lambda: go_on.wait(30) and work())

    monkeypatch.setattr(Passwords.__init__, "__kwdefaults__", {"waiting": 0})
    monkeypatch.setattr(Passwords, "_run", held)
    async with running(mongo_url, database_name) as identity:
        tried = [
            asyncio.create_task(identity.sign_up(f"user{number}@example.com"))
            for number in range(12)
        ]
        await wait_for(lambda: sum(one.done() for one in tried) == 10, what="the refusals")
        go_on.set()
        answers = await asyncio.gather(*tried)
        refused = [answer for answer in answers if answer.status == 429]
        assert len(refused) == 10
        assert {answer.body["code"] for answer in refused} == {"busy"}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
