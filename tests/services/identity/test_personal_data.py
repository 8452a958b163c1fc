"""Tests of the export of a user's personal data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from services.identity.domain.personal_data import MAX_ROWS
from shared.contracts.calls.notification import (
    PersonalMessages,
    StoredMail,
    StoredNotification,
    StoredPreference,
    StoredReader,
)
from shared.problems import NotFound, Unavailable
from tests.services.identity.running import PASSWORD, Identity
from tests.services.identity.test_api_tokens import copies_of
from tests.services.identity.test_provisioning import ana, platform

if TYPE_CHECKING:
    from shared.problems import Refusal
    from tests.support.service import Answered

EMAIL = "ana@example.com"


async def export(identity: Identity, token: str) -> Answered:
    return await identity.send("GET", "/v1/me/export", token=token)


@pytest.mark.rule("T15")
async def test_an_export_has_what_is_stored_and_no_secret(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    ended = (await identity.log_in(EMAIL)).body
    await identity.post("/v1/logout", token=ended["access_token"])
    made = await identity.make_token(person)
    client = await platform(identity)
    await client.provision(ana(email=EMAIL))
    identity_row = {
        "_id": "idn_1",
        "user_id": person["user"]["id"],
        "issuer": "https://issuer.example",
        "subject": "ana-at-issuer",
        "connection_id": "corp",
        "label": "Corp",
        "email": "ana@corp.example",
        "linked_at": identity.clock.now(),
    }
    await identity.database["identities"].insert_one(identity_row)
    await identity.person("bo@example.com", name="Bo")
    answer = await export(identity, person["access_token"])
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    shown = answer.body
    assert (shown["complete"], shown["user"]["email"]) == (True, EMAIL)
    assert sorted(one["ended_at"] is None for one in shown["sessions"]) == [False, True]
    assert [one["name"] for one in shown["api_tokens"]] == ["CI"]
    assert [one["account_name"] for one in shown["memberships"]] == ["Acme"]
    [linked], [external] = shown["identities"], shown["external_ids"]
    for name in ("issuer", "subject", "label", "email"):
        assert linked[name] == identity_row[name]
    assert external == {"client_id": client.id, "external_id": "7f3a"}
    text = json.dumps(shown)
    user = await identity.database["users"].find_one({"email": EMAIL, "shard": {"$gte": 0}})
    assert user is not None
    secrets = [PASSWORD, made["secret"], person["refresh_token"], user["password_hash"]]
    for secret in (*secrets, *user["known_devices"], "bo@example.com"):
        assert secret not in text


@pytest.mark.parametrize("name", ["sessions", "api_tokens"])
async def test_an_export_that_is_cut_says_so(identity: Identity, name: str) -> None:
    person = await identity.person(EMAIL)
    await identity.make_token(person)
    rows = identity.database[name]
    [kept] = [row async for row in rows.find({})]
    *most, last = copies_of(kept, MAX_ROWS)
    await rows.insert_many(most)
    for complete in (True, False):
        shown = (await export(identity, person["access_token"])).expect(200)
        assert (shown["complete"], len(shown[name])) == (complete, MAX_ROWS)
        if complete:
            await rows.insert_one(last)


@pytest.mark.rule("T5")
async def test_an_ended_session_exports_nothing(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    await identity.post("/v1/logout", token=person["access_token"])
    assert (await export(identity, person["access_token"])).status == 401


async def test_an_export_without_the_part_of_team_is_refused(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    identity.stand_ins.team_away = True
    assert (await export(identity, person["access_token"])).status == 503


async def test_the_exports_of_an_hour_are_bounded(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    statuses = [(await export(identity, person["access_token"])).status for _ in range(11)]
    assert statuses == [*[200] * 10, 429]


async def test_an_export_has_what_notification_has(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    at = identity.clock.now()
    about = {"id": "msg_1", "kind": "role_changed", "account_id": "acc_1", "created_at": at}
    identity.stand_ins.messages = PersonalMessages(
        reader=StoredReader(email=EMAIL, locale="de", time_zone="Europe/Berlin"),
        notifications=(StoredNotification(**about, title="Neue Rolle", text="Von.", unread=True),),
        mails=(
            StoredMail(
                **about, recipient=EMAIL, subject="Rolle", status="queued", finished_at=None
            ),
        ),
        switched_off=(StoredPreference(account_id=None, kinds=("token_expiry",)),),
        complete=False,
    )
    shown = (await export(identity, person["access_token"])).expect(200)
    assert shown["complete"] is False
    assert shown["mails_addressed"]["time_zone"] == "Europe/Berlin"
    assert [one["title"] for one in shown["notifications"]] == ["Neue Rolle"]
    assert [(one["subject"], one["status"]) for one in shown["mails"]] == [("Rolle", "queued")]
    assert shown["mails_switched_off"] == [{"account_id": None, "kinds": ["token_expiry"]}]
    [asked] = identity.stand_ins.messages_asked
    assert (asked.user_id, asked.email) == (person["user"]["id"], EMAIL)


@pytest.mark.rule("T15")
async def test_mails_to_an_address_that_is_not_proved_are_not_asked_for(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    users = identity.database["users"]
    await users.update_one({"_id": person["user"]["id"]}, {"$set": {"verified_at": None}})
    await export(identity, person["access_token"])
    assert [one.email for one in identity.stand_ins.messages_asked] == [None]


@pytest.mark.parametrize("refusal", [Unavailable(), NotFound()], ids=["away", "earlier-version"])
async def test_an_export_without_the_part_of_notification_is_refused(
    identity: Identity, refusal: Refusal
) -> None:
    person = await identity.person(EMAIL)
    identity.stand_ins.messages_refused = refusal
    assert (await export(identity, person["access_token"])).status == 503
