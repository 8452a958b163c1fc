"""Tests of e-mail verification: which links work, and what a repeat answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from services.identity.store import Store
from shared.contracts.calls.identity import (
    SIGN_UP_LINK,
    VERIFICATION_LINK,
    SignUpLinkRequest,
    VerificationLinkRequest,
)
from shared.ids import SignUpId
from shared.mongo import Transactions
from shared.problems import Refusal, Unavailable
from tests.patience import PATIENT
from tests.services.identity.running import PASSWORD, Identity, running
from tests.support.service import ISSUER

OTHER_PASSWORD = "quiet-otters-paint-maps"
DAY, WEEK = 24 * 3600, 7 * 24 * 3600


async def mailed_link(identity: Identity, email: str = "ana@example.com") -> dict[str, str]:
    """Sign up, and read the newest mail."""
    assert (await identity.sign_up(email)).status == 202
    [*_, link] = await identity.mailed_links(email)
    return link


@pytest.mark.rule("B1")
async def test_the_mailed_link_creates_the_user_and_signs_in(identity: Identity) -> None:
    link = await mailed_link(identity)
    answer = await identity.verify(link)
    assert answer.status == 200
    session = answer.body
    assert session["user"] == {
        "id": session["user"]["id"],
        "email": "ana@example.com",
        "name": "Ana",
        "verified": True,
    }
    actions = await identity.actions_of(session["user"]["id"])
    assert [action for action in actions if action != "sign_up.requested"] == [
        "user.signed_up",
        "user.verified",
        "session.started",
    ]
    me = await identity.send("GET", "/v1/me", token=session["access_token"])
    assert (me.status, me.body["account_id"]) == (200, session["account_id"])
    assert (await identity.log_in("ana@example.com")).status == 200


async def test_the_link_in_the_mail_leads_to_the_public_url(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    (row,) = await identity.rows("sign_up.requested")
    sign_up_id = row.data["sign_up_id"]
    request = SignUpLinkRequest(kind="sign-up", id=sign_up_id, generation=1)
    answer = await identity.notification.call(SIGN_UP_LINK, "identity", request)
    assert answer.url.startswith(f"{ISSUER}/verify?token={sign_up_id}.1.")
    assert len(answer.code) == 8


async def test_the_request_that_verifies_may_set_the_name(identity: Identity) -> None:
    link = await mailed_link(identity)
    bad = await identity.verify(link, name="a\nb")
    assert (bad.status, bad.body["errors"][0]["pointer"]) == (422, "/name")
    session = (await identity.verify(link, name="Ana Díaz")).expect(200)
    assert session["user"]["name"] == "Ana Díaz"


async def test_a_weak_password_is_refused_and_the_link_stays_valid(identity: Identity) -> None:
    link = await mailed_link(identity)
    for password in ("short", "passwordpassword", "ana@example.com", "Rolecall2026!", "x" * 129):
        refused = await identity.verify(link, password=password)
        assert refused.status == 422, password
        assert [error["pointer"] for error in refused.body["errors"]] == ["/password"]
    named = await identity.verify(link, name="Zoraide Quint", password="zoraidequint")
    assert named.status == 422
    assert "your name" in named.body["errors"][0]["message"]
    assert await identity.rows("user.signed_up") == []
    assert (await identity.verify(link)).status == 200


async def test_a_forged_link_is_refused_like_a_used_one(identity: Identity) -> None:
    link = await mailed_link(identity)
    token, code = link["token"], link["code"]
    spoiled = [
        {"token": token[:-2] + ("AA" if token[-2:] != "AA" else "BA")},
        {"token": token.replace(".1.", ".2.")},
        {"token": "sup_" + "0" * 32 + token[36:]},
        {"token": "usr_" + token[4:]},
        {"token": token, "code": code[::-1]},
        {"token": "x"},
    ]
    for body in spoiled:
        answer = await identity.verify(body)
        assert (answer.status, answer.body["code"]) == (410, "link-invalid"), body
    assert await identity.rows("user.verified") == []
    assert (await identity.verify(link)).status == 200


async def test_team_makes_the_personal_account_before_the_answer(identity: Identity) -> None:
    link = await mailed_link(identity)
    first = await identity.verify(link)
    user = first.expect(200)["user"]
    [asked] = identity.stand_ins.accounts
    assert (asked.user_id, asked.account_id) == (user["id"], first.body["account_id"])
    assert (asked.email, asked.name) == (user["email"], user["name"])
    assert first.headers["Rolecall-Revision"] == "team.e1.7.1"

    again = await identity.verify(link)
    assert again.headers["Rolecall-Revision"] == "team.e1.7.2"

    proof = identity.stand_ins.invite("bea@example.com", "email")
    invited = {"name": "Bea", "password": PASSWORD, "invitation": proof}
    joined = await identity.post("/v1/signup", invited)
    assert joined.expect(201)["account_id"] == identity.stand_ins.accounts[-1].account_id
    assert joined.headers["Rolecall-Revision"] == "team.e1.7.3"


async def test_a_sign_up_works_while_team_is_away(identity: Identity) -> None:
    identity.stand_ins.team_away = True
    answer = await identity.verify(await mailed_link(identity))
    assert answer.expect(200)["account_id"]
    assert "Rolecall-Revision" not in answer.headers
    assert len(await identity.rows("user.verified")) == 1


async def test_a_sign_up_does_not_wait_for_a_team_that_never_answers(
    mongo_url: str, database_name: str
) -> None:
    limits = replace(PATIENT, personal_account=0.05)
    async with running(mongo_url, database_name, timeouts=limits) as identity:
        link = await mailed_link(identity)
        identity.stand_ins.team_may_answer.clear()
        try:
            # Every other call of a service would be waited for a minute.
            async with asyncio.timeout(PATIENT.internal_call / 2):
                answer = await identity.verify(link)
        finally:
            identity.stand_ins.team_may_answer.set()
        assert answer.expect(200)["account_id"] == identity.stand_ins.accounts[0].account_id
        assert "Rolecall-Revision" not in answer.headers


@pytest.mark.rule("B1")
async def test_a_repeat_answers_the_same_session_for_a_minute(identity: Identity) -> None:
    link = await mailed_link(identity)
    first = (await identity.verify(link)).expect(200)
    identity.clock.move(60)
    again = (await identity.verify(link)).expect(200)
    assert again["refresh_token"] == first["refresh_token"]
    assert again["user"] == first["user"]
    identity.clock.move(0.001)
    late = await identity.verify(link)
    assert (late.status, late.body["code"]) == (410, "link-invalid")
    assert len(await identity.rows("user.verified")) == 1
    assert len(await identity.rows("session.started")) == 1


async def test_a_repeat_with_another_password_is_refused(identity: Identity) -> None:
    link = await mailed_link(identity)
    (await identity.verify(link)).expect(200)
    assert (await identity.verify(link, password=OTHER_PASSWORD)).status == 410
    assert (await identity.log_in("ana@example.com", OTHER_PASSWORD)).status == 401
    assert (await identity.log_in("ana@example.com")).status == 200


@pytest.mark.rule("B1")
@pytest.mark.parametrize("ending", ["sign-out", "refresh", "reset", "another password"])
async def test_a_used_link_brings_back_nothing_that_has_ended(
    identity: Identity, ending: str
) -> None:
    link = await mailed_link(identity)
    session = (await identity.verify(link)).expect(200)
    match ending:
        case "sign-out":
            await identity.post("/v1/logout", token=session["access_token"])
        case "refresh":
            body = {"refresh_token": session["refresh_token"]}
            (await identity.post("/v1/token/refresh", body)).expect(200)
        case "reset":
            await identity.forgot("ana@example.com")
            token = await identity.mailed_reset("ana@example.com")
            assert (await identity.reset(token, OTHER_PASSWORD)).status == 204
        case _:
            changed = await identity.change_password(
                session["access_token"], PASSWORD, OTHER_PASSWORD
            )
            assert changed.status == 204
    for password in (PASSWORD, OTHER_PASSWORD):
        alive = ending == "another password" and password == OTHER_PASSWORD
        answer = await identity.verify(link, password=password)
        assert answer.status == (200 if alive else 410), (ending, password)
    assert len(await identity.rows("session.started")) == 1


async def test_a_repeated_sign_up_mails_the_same_link_while_it_is_young(
    identity: Identity,
) -> None:
    await identity.sign_up("ana@example.com")
    identity.clock.move(DAY - 1)
    await identity.sign_up("ANA@example.com", name="Ana Díaz")
    requested = [row.data for row in await identity.rows("sign_up.requested")]
    assert {(data["sign_up_id"], data["generation"]) for data in requested} == {
        (requested[0]["sign_up_id"], 1)
    }
    assert await identity.database["sign_ups"].count_documents({}) == 1
    older, newer = await identity.mailed_links("ana@example.com")
    assert older == newer
    session = (await identity.verify(older)).expect(200)
    assert session["user"]["name"] == "Ana"


@pytest.mark.rule("B1")
async def test_a_stranger_who_repeats_a_sign_up_does_not_choose_the_name(
    identity: Identity,
) -> None:
    link = await mailed_link(identity)
    await identity.sign_up("ana@example.com", name="Loser McFace")
    assert await identity.mailed_links("ana@example.com") == [link, link]
    requested = await identity.rows("sign_up.requested")
    assert {row.data["name"] for row in requested} == {"Ana"}
    session = (await identity.verify(link)).expect(200)
    assert session["user"]["name"] == "Ana"


async def test_a_link_that_is_not_young_any_more_is_replaced(identity: Identity) -> None:
    old = await mailed_link(identity)
    identity.clock.move(DAY)
    answer = await identity.post("/v1/email/resend", {"email": "ANA@example.com"})
    assert (answer.status, answer.body) == (202, {"status": "verification-sent"})
    (_, resent) = await identity.rows("sign_up.requested")
    assert resent.data["generation"] == 2
    assert (await identity.verify(old)).status == 410
    new = await identity.link(resent.data["sign_up_id"], generation=2)
    identity.clock.move(WEEK - 1)
    assert (await identity.verify(new)).status == 200


async def test_a_superseded_used_or_old_link_is_not_mailed(identity: Identity) -> None:
    link = await mailed_link(identity)
    (row,) = await identity.rows("sign_up.requested")
    request = SignUpLinkRequest(kind="sign-up", id=row.data["sign_up_id"], generation=1)
    (await identity.verify(link)).expect(200)
    old = VerificationLinkRequest(kind="verification", id="usr_" + "0" * 32, generation=1)
    with pytest.raises(Refusal, match="not valid any more") as refused:
        await identity.notification.call(SIGN_UP_LINK, "identity", request)
    assert refused.value.status == 410
    with pytest.raises(Refusal, match="not valid any more") as refused:
        await identity.notification.call(VERIFICATION_LINK, "identity", old)
    assert refused.value.status == 410


async def test_a_sign_up_that_is_not_verified_in_seven_days_is_over(identity: Identity) -> None:
    link = await mailed_link(identity)
    stored = await identity.database["sign_ups"].find_one({})
    identity.clock.move(WEEK)
    assert stored is not None
    assert stored["delete_at"].replace(tzinfo=None) == identity.clock.now().replace(tzinfo=None)
    assert (await identity.verify(link)).status == 410
    await identity.post("/v1/email/resend", {"email": "ana@example.com"})
    assert len(await identity.rows("sign_up.requested")) == 1
    again = await mailed_link(identity)
    assert (await identity.verify(link)).status == 410
    assert (await identity.verify(again)).status == 200


@pytest.mark.rule("B1")
async def test_a_strangers_sign_up_leaves_no_password_behind(identity: Identity) -> None:
    """The stranger signs up with the address of another person, who opens the older mail."""
    theirs = {"email": "ana@example.com", "name": "Eve", "password": OTHER_PASSWORD}
    tried = await identity.post("/v1/signup", theirs)
    assert (tried.status, tried.body["errors"][0]["pointer"]) == (422, "/password")
    assert (await identity.sign_up("ana@example.com", name="Eve")).status == 202
    assert (await identity.sign_up("ana@example.com", name="Ana")).status == 202
    older, _ = await identity.mailed_links("ana@example.com")
    session = (await identity.verify(older, name="Ana")).expect(200)
    assert session["user"]["name"] == "Ana"
    assert (await identity.sign_up("ana@example.com", name="Eve")).status == 202
    for password in (OTHER_PASSWORD, "three-other-words-here"):
        assert (await identity.log_in("ana@example.com", password)).status == 401
        assert (await identity.verify(older, password=password)).status == 410
    assert (await identity.log_in("ana@example.com")).status == 200
    stored = [document async for document in identity.database["sign_ups"].find({})]
    assert all("password" not in key for document in stored for key in document)


@pytest.mark.parametrize("same_password", [True, False])
async def test_two_verifications_at_once_make_one_user(
    identity: Identity, *, same_password: bool
) -> None:
    link = await mailed_link(identity)
    passwords = [PASSWORD, PASSWORD if same_password else OTHER_PASSWORD] * 2
    answers = await asyncio.gather(
        *(identity.verify(link, password=password) for password in passwords)
    )
    good = [answer.body["refresh_token"] for answer in answers if answer.status == 200]
    assert len(good) == (4 if same_password else 2)
    assert len(set(good)) == 1
    assert {answer.status for answer in answers} <= {200, 410}
    assert len(await identity.rows("user.signed_up")) == 1
    assert len(await identity.rows("session.started")) == 1
    working = [(await identity.log_in("ana@example.com", each)).status for each in set(passwords)]
    assert working.count(200) == 1


async def test_verification_and_a_mailed_invitation_at_once_make_one_user(
    identity: Identity,
) -> None:
    link = await mailed_link(identity)
    proof = identity.stand_ins.invite("ana@example.com", "email")
    invited = {"name": "Ana", "password": OTHER_PASSWORD, "invitation": proof}
    verified, joined = await asyncio.gather(
        identity.verify(link), identity.post("/v1/signup", invited)
    )
    assert (verified.status, joined.status) in {(200, 409), (410, 201)}
    assert await identity.database["users"].count_documents({}) == 1
    winner = PASSWORD if verified.status == 200 else OTHER_PASSWORD
    assert (await identity.log_in("ana@example.com", winner)).status == 200


@pytest.mark.parametrize("ending", ["sign-out", "reset"])
async def test_a_repeat_at_the_same_time_as_an_ending_opens_nothing(
    identity: Identity, ending: str
) -> None:
    link = await mailed_link(identity)
    session = (await identity.verify(link)).expect(200)
    await identity.forgot("ana@example.com")
    token = await identity.mailed_reset("ana@example.com")
    end = (
        identity.post("/v1/logout", token=session["access_token"])
        if ending == "sign-out"
        else identity.reset(token, OTHER_PASSWORD)
    )
    ended, *repeats = await asyncio.gather(end, *(identity.verify(link) for _ in range(3)))
    assert ended.status == 204
    for repeat in repeats:
        assert repeat.status in {200, 410}
        assert repeat.status == 410 or not await identity.is_live(repeat.body)
    assert (await identity.verify(link)).status == 410


@pytest.mark.rule("T9")
async def test_a_resend_answers_the_same_for_every_address(
    identity: Identity,
) -> None:
    await identity.person_by_mail("ana@example.com")
    await identity.sign_up("bo@example.com")
    answers = [
        await identity.post("/v1/email/resend", {"email": email})
        for email in ("ana@example.com", "bo@example.com", "absent@example.com")
    ]
    assert {(answer.status, answer.text) for answer in answers} == {
        (202, '{"status":"verification-sent"}\n')
    }
    assert {tuple(sorted(answer.headers)) for answer in answers} == {
        tuple(sorted(answers[0].headers))
    }
    assert len(await identity.rows("user.sign_up_refused")) == 1
    mailed = [row.data["email"] for row in await identity.rows("sign_up.requested")]
    assert mailed == ["ana@example.com", "bo@example.com", "bo@example.com"]


async def test_a_write_of_an_outdated_sign_up_is_refused(identity: Identity) -> None:
    link = await mailed_link(identity)
    store = Store(identity.database)
    read = await store.sign_up(SignUpId(link["token"].partition(".")[0]))
    assert read is not None
    (await identity.verify(link)).expect(200)

    async def change(session) -> None:
        await store.save_sign_up(read, replace(read, generation=9), session)

    with pytest.raises(Unavailable):
        await Transactions(identity.client, seconds=0.2).run(change)
