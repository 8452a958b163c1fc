"""Tests of a change of address: the proof, what it ends, the undo, and what it must not show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.address_change import (
    CHANGE_LIFETIME,
    CHANGES_AN_HOUR,
    UNDO_LIFETIME,
)
from shared.contracts.calls.identity import ADDRESS_LINK, AddressLinkRequest
from shared.problems import Refusal
from tests.services.identity.ceremonies import add, new_passkey, signed
from tests.services.identity.running import PASSWORD, Identity, running

if TYPE_CHECKING:
    from tests.support.passkeys import SoftPasskey
    from tests.support.service import Answered

EMAIL, NEW, OTHER = "ana@example.com", "ana@new.example", "bo@example.com"
NEW_PASSWORD = "quiet-otters-paint-maps"
STRANGERS = tuple({"X-Forwarded-For": f"198.51.100.{number}"} for number in range(1, 4))
KINDS = {
    "address-change": "user.address_link_requested",
    "address-undo": "user.email_changed",
}


async def ask(
    identity: Identity,
    person: dict[str, Any],
    email: str = NEW,
    password: str = PASSWORD,
    headers: dict[str, str] | None = None,
) -> Answered:
    body = {"email": email, "password": password}
    token = person["access_token"]
    return await identity.post("/v1/me/email", body, token=token, headers=headers)


async def mailed(identity: Identity, kind: str = "address-change", at: int = -1) -> str:
    """The token of a mailed link, the newest by default."""
    data = (await identity.rows(KINDS[kind]))[at].data
    named = {"kind": kind, "id": data["user_id"]}
    if kind == "address-change":
        named |= {"generation": data["generation"], "address_id": data["address_id"]}
    else:
        named["generation"] = data["undo_generation"]
    request = AddressLinkRequest.model_validate(named)
    answer = await identity.notification.call(ADDRESS_LINK, "identity", request)
    return answer.url.partition("?token=")[2]


async def confirm(identity: Identity, person: dict[str, Any], token: str) -> Answered:
    body = {"token": token}
    return await identity.post("/v1/me/email/confirm", body, token=person["access_token"])


async def undo(identity: Identity, token: str) -> Answered:
    return await identity.post("/v1/email/undo", {"token": token})


async def changed(identity: Identity) -> dict[str, Any]:
    """A user whose address is the new one."""
    person = await identity.person(EMAIL)
    assert (await ask(identity, person)).status == 202
    assert (await confirm(identity, person, await mailed(identity))).status == 200
    return person


@pytest.mark.rule("B1")
async def test_the_mailed_link_changes_the_address_in_the_session_of_the_user(
    identity: Identity,
) -> None:
    person = await identity.person(EMAIL)
    other = (await identity.log_in(EMAIL)).body
    asked = await ask(identity, person)
    assert (asked.status, asked.body) == (202, {"status": "confirmation-sent"})
    assert (await identity.log_in(NEW)).status == 401
    proved = await confirm(identity, person, await mailed(identity))
    assert (proved.status, proved.body["email"]) == (200, NEW)
    assert await identity.is_live(person)
    assert not await identity.is_live(other)
    assert (await identity.log_in(EMAIL)).status == 401
    assert (await identity.log_in(NEW)).status == 200


async def test_the_old_address_is_told_at_the_request_and_at_the_change(
    identity: Identity,
) -> None:
    await changed(identity)
    (asked,) = await identity.rows("user.email_change_requested")
    assert (asked.data["email"], asked.data["new_email"]) == (EMAIL, NEW)
    (told,) = await identity.rows("user.email_changed")
    assert (told.data["email"], told.data["previous_email"]) == (NEW, EMAIL)
    assert told.data["undo_generation"] == 1


async def test_the_old_address_is_free_and_its_reset_link_is_dead(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    await identity.forgot(EMAIL)
    reset = await identity.mailed_reset(EMAIL)
    await ask(identity, person)
    await confirm(identity, person, await mailed(identity))
    assert (await identity.reset(reset, NEW_PASSWORD)).status == 410
    another = await identity.person(EMAIL, name="Another Ana")
    assert another["user"]["id"] != person["user"]["id"]


@pytest.mark.rule("T9")
async def test_the_answer_is_the_same_for_an_address_that_has_a_user(identity: Identity) -> None:
    person, owner = await identity.person(EMAIL), await identity.person(OTHER)
    taken, free = await ask(identity, person, OTHER), await ask(identity, person, NEW)
    assert (taken.status, taken.body) == (free.status, free.body)
    assert sorted(taken.headers) == sorted(free.headers)
    (told,) = await identity.rows("user.address_wanted")
    assert (told.account_id, told.data["email"]) == (owner["account_id"], OTHER)
    assert (told.actor.type, told.actor.email) == ("anonymous", None)
    (mail,) = await identity.rows("user.address_link_requested")
    assert (mail.data["email"], mail.account_id) == (NEW, None)
    log = [row.action for row in await identity.rows() if row.account_id == person["account_id"]]
    assert log.count("user.email_change_requested") == 2
    assert set(log[-2:]) == {"user.email_change_requested"}


@pytest.mark.rule("T9")
async def test_an_address_that_got_a_user_meanwhile_is_refused(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    await ask(identity, person)
    token = await mailed(identity)
    await identity.person(NEW)
    refused = await confirm(identity, person, token)
    assert (refused.status, refused.body["code"]) == (410, "link-invalid")
    assert await identity.is_live(person)
    assert (await identity.log_in(EMAIL)).status == 200


async def test_two_users_who_prove_one_address_at_once_get_it_once(identity: Identity) -> None:
    ana, bo = await identity.person(EMAIL), await identity.person(OTHER)
    await ask(identity, ana)
    await ask(identity, bo)
    tokens = [await mailed(identity, at=at) for at in (0, 1)]
    answers = await asyncio.gather(
        confirm(identity, ana, tokens[0]), confirm(identity, bo, tokens[1])
    )
    assert sorted(answer.status for answer in answers) == [200, 410]
    assert await identity.database["addresses"].count_documents({}) == 2


@pytest.mark.rule("T11")
async def test_the_link_counts_in_no_session_of_a_user_who_did_not_ask(identity: Identity) -> None:
    """Also where that user waits for the proof of an address that they do not have."""
    person, stranger = await identity.person(EMAIL), await identity.person(OTHER)
    await ask(identity, person)
    token = await mailed(identity)
    await ask(identity, stranger, "victim@new.example")
    for who in (stranger, {"access_token": None}):
        refused = await confirm(identity, who, token)
        assert refused.status in {401, 410}
    assert (await identity.log_in(EMAIL)).status == 200
    await identity.post("/v1/logout", token=person["access_token"])
    assert (await confirm(identity, person, token)).status == 401


async def test_a_wrong_password_asks_for_nothing_and_counts(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    refused = await ask(identity, person, password="not-the-password")
    assert (refused.status, refused.body["code"]) == (403, "wrong-password")
    assert await identity.rows("user.email_change_requested") == []
    assert len(await identity.rows("session.refused")) == 1
    for _ in range(9):
        await ask(identity, person, password="not-the-password")
    over = await ask(identity, person)
    assert (over.status, over.body["code"]) == (429, "too-many-requests")
    assert (await identity.log_in(EMAIL)).status == 429


async def test_the_requests_of_an_hour_are_bounded(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    statuses = [
        (await ask(identity, person, f"ana{number}@new.example")).status
        for number in range(CHANGES_AN_HOUR + 1)
    ]
    assert statuses == [*[202] * CHANGES_AN_HOUR, 429]
    assert len(await identity.rows("user.email_change_requested")) == CHANGES_AN_HOUR


@pytest.mark.rule("T14")
async def test_a_request_beyond_a_limit_writes_and_mails_nothing(
    mongo_url: str, database_name: str
) -> None:
    """Here the network has had its mails; the user's own limit is not used up by it."""
    async with running(mongo_url, database_name, mails_per_ip=3) as identity:
        person = await identity.person(EMAIL)
        await ask(identity, person)
        while (await identity.forgot("cy@example.com")).status == 202:
            pass
        before = len(await identity.rows())
        refused = [(await ask(identity, person, OTHER)).status for _ in range(CHANGES_AN_HOUR + 1)]
        assert refused == [429] * (CHANGES_AN_HOUR + 1)
        assert len(await identity.rows()) == before
        assert (await confirm(identity, person, await mailed(identity))).status == 200


@pytest.mark.rule("T14")
async def test_strangers_neither_block_a_change_nor_end_its_link(identity: Identity) -> None:
    """They use up the budget of the mailbox, before the user asks or after."""
    strangers = [await identity.person(f"eve{number}@example.net") for number in range(3)]

    async def use_up() -> int:
        for stranger, headers in zip(strangers, STRANGERS, strict=True):
            for email in (NEW, "other@example.net", NEW):
                assert (await ask(identity, stranger, email, headers=headers)).status == 202
        rows = await identity.rows("user.address_link_requested")
        return sum(row.data["email"] == NEW for row in rows)

    assert await use_up() == 5
    person = await identity.person(EMAIL)
    assert (await ask(identity, person)).status == 202
    names = [row.data["name"] for row in await identity.rows("user.address_link_requested")]
    first = await mailed(identity, at=0)
    for email in ("typo@new.example", NEW):
        assert (await ask(identity, person, email)).status == 202
    assert len(names) == len(await identity.rows("user.address_link_requested")) - 1
    assert (await confirm(identity, person, first)).status == 200
    for stranger in strangers:
        assert (await confirm(identity, stranger, first)).status == 410


@pytest.mark.rule("T14")
async def test_one_user_has_a_share_of_a_mailbox_from_all_networks(identity: Identity) -> None:
    stranger = await identity.person("eve@example.net")
    for number in range(CHANGES_AN_HOUR):
        await ask(identity, stranger, NEW, headers=STRANGERS[number % len(STRANGERS)])
    assert len(await identity.rows("user.address_link_requested")) == 3


async def test_a_link_changes_once_and_not_to_another_address(identity: Identity) -> None:
    """A second click finds its change made, as long as the link lives and the address stays."""
    person = await identity.person(EMAIL)
    await ask(identity, person, "first@new.example")
    first = await mailed(identity)
    await ask(identity, person)
    assert (await confirm(identity, person, first)).status == 410
    token = await mailed(identity)
    answers = await asyncio.gather(*(confirm(identity, person, token) for _ in range(3)))
    answers.append(await confirm(identity, person, token))
    assert [(one.status, one.body["email"]) for one in answers] == [(200, NEW)] * 4
    assert len(await identity.rows("user.email_changed")) == 1
    await ask(identity, person, "third@new.example")
    third = await mailed(identity)
    assert (await confirm(identity, person, third)).status == 200
    assert (await confirm(identity, person, token)).status == 410
    identity.clock.move(CHANGE_LIFETIME.total_seconds())
    with pytest.raises(Refusal):
        await mailed(identity)


@pytest.mark.rule("T5")
async def test_the_old_address_takes_the_change_back_and_shuts_the_thief_out(
    identity: Identity,
) -> None:
    thief = await changed(identity)
    made = await identity.make_token(thief)
    linked = {"user_id": thief["user"]["id"], "issuer": "https://thief.example"}
    await identity.database["identities"].insert_one({"_id": "idn_1", **linked})
    token = await mailed(identity, "address-undo")
    assert (await undo(identity, token)).status == 204
    assert not await identity.is_live(thief)
    assert await identity.database["identities"].count_documents({}) == 0
    [revoked] = await identity.rows("api_token.revoked")
    assert (revoked.resource.id, revoked.data["because"]) == (made["id"], "address-restored")
    for email in (EMAIL, NEW):
        assert (await identity.log_in(email)).status == 401
    await identity.forgot(EMAIL)
    reset = await identity.mailed_reset(EMAIL)
    assert (await identity.reset(reset, NEW_PASSWORD)).status == 204
    owner = (await identity.log_in(EMAIL, NEW_PASSWORD)).expect(200)
    assert (await undo(identity, token)).status == 204, "a second click finds it done"
    assert await identity.is_live(owner)
    assert (await identity.log_in(EMAIL, NEW_PASSWORD)).status == 200
    assert len(await identity.rows("user.email_restored")) == 1
    await ask(identity, owner, OTHER, NEW_PASSWORD)
    assert (await confirm(identity, owner, await mailed(identity))).status == 200
    assert (await undo(identity, token)).status == 410, "another address is in force"


async def test_the_link_of_an_undo_works_once_at_the_same_moment(identity: Identity) -> None:
    await changed(identity)
    token = await mailed(identity, "address-undo")
    answers = await asyncio.gather(*(undo(identity, token) for _ in range(3)))
    assert [answer.status for answer in answers] == [204] * 3
    assert len(await identity.rows("user.email_restored")) == 1
    identity.clock.move(UNDO_LIFETIME.total_seconds())
    assert (await undo(identity, token)).status == 410


@pytest.mark.parametrize("at", [0, 1])
async def test_each_former_address_shuts_the_thief_out(identity: Identity, at: int) -> None:
    """The thief has changed the address twice, or has done it after a change of the owner."""
    thief = await changed(identity)
    await ask(identity, thief, "thief@new.example")
    assert (await confirm(identity, thief, await mailed(identity))).status == 200
    links = [await mailed(identity, "address-undo", at=number) for number in (0, 1)]
    assert (await undo(identity, links[at])).status == 204
    assert not await identity.is_live(thief)
    assert {row["_id"] async for row in identity.database["addresses"].find({})} == {
        (EMAIL, NEW)[at]
    }
    if at == 0:
        assert (await undo(identity, links[1])).status == 410


async def log_in_with(identity: Identity, passkey: SoftPasskey) -> Answered:
    return await identity.post("/v1/login/passkey/finish", await signed(identity, passkey))


@pytest.mark.rule("T5")
async def test_an_undo_removes_the_factors_that_a_thief_added(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    own = new_passkey()
    codes = (await add(identity, person["access_token"], own)).body["recovery_codes"]
    identity.clock.move(14 * 86_400 + 1)
    person = (await log_in_with(identity, own)).expect(200)
    app, _ = await identity.add_totp(person["access_token"])  # as a thief does before the change
    for _ in range(20):  # the session stays, longer than two weeks
        identity.clock.move(86_400)
        body = {"refresh_token": person["refresh_token"]}
        person |= (await identity.post("/v1/token/refresh", body)).expect(200)
    person |= (await identity.step_up(person["access_token"], otp=app.next_code())).expect(200)
    await ask(identity, person)
    assert (await confirm(identity, person, await mailed(identity))).status == 200
    thiefs = new_passkey()
    assert (await add(identity, person["access_token"], thiefs)).status == 200
    assert (await undo(identity, await mailed(identity, "address-undo"))).status == 204
    kinds = [row.data["kind"] for row in await identity.rows("user.second_factor_removed")]
    assert sorted(kinds) == ["passkey", "totp"]
    assert (await log_in_with(identity, thiefs)).code == "passkey-refused"
    assert (await log_in_with(identity, own)).status == 200
    await identity.forgot(EMAIL)
    await identity.reset(await identity.mailed_reset(EMAIL), NEW_PASSWORD)
    assert (await identity.log_in(EMAIL, NEW_PASSWORD)).code == "otp-required"
    assert (await identity.log_in(EMAIL, NEW_PASSWORD, otp=codes[0])).status == 401


async def test_a_reset_ends_a_change_that_waits_and_forgets_devices(identity: Identity) -> None:
    thief = await identity.person(EMAIL)
    await ask(identity, thief)
    token = await mailed(identity)
    await identity.forgot(EMAIL)
    await identity.reset(await identity.mailed_reset(EMAIL), NEW_PASSWORD)
    [user] = [row async for row in identity.database["users"].find({"email": EMAIL})]
    assert user["known_devices"] == []
    owner = (await identity.log_in(EMAIL, NEW_PASSWORD)).expect(200)
    assert (await confirm(identity, owner, token)).code == "link-invalid"


async def test_a_former_address_that_has_another_user_is_not_restored(identity: Identity) -> None:
    person = await changed(identity)
    await identity.person(EMAIL, name="Another Ana")
    assert (await undo(identity, await mailed(identity, "address-undo"))).status == 410
    assert await identity.is_live(person)


@pytest.mark.parametrize("token", ["x", "usr_" + "0" * 32 + ".1." + "A" * 43])
async def test_a_forged_link_changes_nothing(identity: Identity, token: str) -> None:
    person = await changed(identity)
    await ask(identity, person, "third@new.example")
    for forged in (token, await mailed(identity)):
        assert (await undo(identity, forged)).status == 410
    for forged in (token, await mailed(identity, "address-undo")):
        assert (await confirm(identity, person, forged)).status == 410
