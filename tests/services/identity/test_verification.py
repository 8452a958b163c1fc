"""Tests of e-mail verification: which links work, and what a resend does."""

from __future__ import annotations

import asyncio

import pytest

from shared.contracts.calls.identity import VERIFICATION_LINK, VerificationLinkRequest
from shared.problems import Refusal
from tests.services.identity.running import Identity
from tests.support.service import ISSUER


@pytest.mark.rule("B1")
async def test_the_mailed_link_verifies_the_address_and_signs_in(identity: Identity) -> None:
    session = await identity.person("ana@example.com")
    assert session["user"]["email"] == "ana@example.com"
    assert session["user"]["verified"] is True
    actions = await identity.actions_of(session["user"]["id"])
    assert actions == ["user.signed_up", "user.verified", "session.started"]
    me = await identity.send("GET", "/v1/me", token=session["access_token"])
    assert me.status == 200
    assert me.body["account_id"] == session["account_id"]


async def test_the_link_in_the_mail_leads_to_the_public_url(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    user = await identity.newest_user("ana@example.com")
    request = VerificationLinkRequest(kind="verification", id=user, generation=1)
    answer = await identity.notification.call(VERIFICATION_LINK, "identity", request)
    assert answer.url.startswith(f"{ISSUER}/verify#token={user}.1.")
    assert len(answer.code) == 8


async def test_a_used_link_signs_in_again_for_ten_minutes_only(
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


async def test_a_forged_link_is_refused_like_a_used_one(identity: Identity) -> None:
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


async def test_a_superseded_or_used_link_is_not_mailed(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    user = await identity.newest_user("ana@example.com")
    request = VerificationLinkRequest(kind="verification", id=user, generation=1)
    link = await identity.link(user)
    await identity.post("/v1/email/verify", link)
    with pytest.raises(Refusal, match="not valid any more") as refused:
        await identity.notification.call(VERIFICATION_LINK, "identity", request)
    assert refused.value.status == 410


async def test_a_user_who_does_not_verify_in_seven_days_is_gone(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    link = await identity.link(await identity.newest_user("ana@example.com"))
    identity.clock.move(7 * 24 * 3600)
    assert (await identity.post("/v1/email/verify", link)).status == 410
    assert (await identity.log_in("ana@example.com")).status == 401


async def test_verifying_an_address_removes_its_unverified_users(identity: Identity) -> None:
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


async def test_an_address_has_one_verified_user_after_links_used_at_once(
    identity: Identity,
) -> None:
    links = []
    for _ in range(3):
        await identity.sign_up("ana@example.com")
        links.append(await identity.link(await identity.newest_user("ana@example.com")))
    answers = await asyncio.gather(*(identity.post("/v1/email/verify", link) for link in links))
    assert sorted(answer.status for answer in answers) == [200, 410, 410]
    assert await identity.database["users"].count_documents({"email_key": "ana@example.com"}) == 1


@pytest.mark.rule("T9")
async def test_a_resend_answers_the_same_for_every_address(
    identity: Identity,
) -> None:
    await identity.person("ana@example.com")
    await identity.sign_up("bo@example.com")
    answers = [
        await identity.post("/v1/email/resend", {"email": email})
        for email in ("ana@example.com", "bo@example.com", "absent@example.com")
    ]
    assert {(answer.status, answer.text) for answer in answers} == {
        (202, '{"status":"verification-sent"}')
    }
    assert len(await identity.rows("user.verification_resent")) == 1
