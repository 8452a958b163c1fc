"""Tests of the user's own sessions: the list, their ends, and the mail about a new device."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.devices import NOTICES_A_DAY, UNKNOWN_DEVICE
from services.identity.store import Store
from shared.contracts.facts import shard_of
from shared.ids import UserId, new_id
from tests.services.identity.running import Identity, running

if TYPE_CHECKING:
    from collections.abc import Mapping

EMAIL, OTHER = "ana@example.com", "bo@example.com"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
CURL = {"User-Agent": "curl/8.5.0", "X-Forwarded-For": "203.0.113.7"}
LIST = "/v1/me/sessions"


async def signed_in(
    identity: Identity, headers: Mapping[str, str] = FIREFOX, email: str = EMAIL
) -> dict[str, Any]:
    answer = await identity.log_in(email, headers=dict(headers))
    assert answer.status == 200, answer.text
    return dict(answer.body)


async def listed(identity: Identity, session: dict[str, Any], query: str = "") -> dict[str, Any]:
    answer = await identity.send("GET", LIST + query, token=session["access_token"])
    assert answer.status == 200, answer.text
    return dict(answer.body)


def session_id(session: dict[str, Any]) -> str:
    return str(session["refresh_token"].partition(".")[0])


@pytest.mark.rule("B1")
async def test_the_list_tells_device_network_last_use_and_the_current_one(
    identity: Identity,
) -> None:
    await identity.person(EMAIL)
    browser, terminal = await signed_in(identity), await signed_in(identity, CURL)
    identity.clock.move(3600)
    refreshed = await identity.post(
        "/v1/token/refresh", {"refresh_token": terminal["refresh_token"]}, headers=CURL
    )
    assert refreshed.status == 200
    shown = (await listed(identity, refreshed.body))["items"]
    assert [one["current"] for one in shown] == [True, False, False]
    newest, second, _ = shown
    assert (newest["device"], newest["network"]) == ("curl", "203.0.113.7")
    assert (second["device"], second["network"]) == ("Firefox on Linux", "127.0.0.1")
    assert newest["last_used_at"] > newest["started_at"]
    assert second["last_used_at"] == second["started_at"]
    assert second["id"] == session_id(browser)


async def test_the_list_is_paged_and_has_no_session_of_others(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    await identity.person(OTHER)
    for _ in range(2):
        await signed_in(identity)
        await signed_in(identity, email=OTHER)
    whole = await listed(identity, person)
    assert (len(whole["items"]), whole["next_cursor"]) == (3, None)
    paged, query = [], "?limit=2"
    while True:
        page = await listed(identity, person, query)
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert paged == whole["items"]


async def test_ended_and_expired_sessions_are_not_listed(identity: Identity) -> None:
    await identity.person(EMAIL)
    identity.clock.move(timedelta(days=29).total_seconds())
    ended, current = await signed_in(identity), await signed_in(identity)
    await identity.post("/v1/logout", token=ended["access_token"])
    identity.clock.move(timedelta(days=2).total_seconds())
    refreshed = await identity.post(
        "/v1/token/refresh", {"refresh_token": current["refresh_token"]}
    )
    assert len((await listed(identity, refreshed.body))["items"]) == 1


async def test_sessions_of_an_earlier_version_have_no_device(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    await identity.database["sessions"].update_many(
        {"shard": {"$gte": 0}}, {"$unset": {"device": "", "network": ""}}
    )
    [shown] = (await listed(identity, person))["items"]
    assert (shown["device"], shown["network"]) == (UNKNOWN_DEVICE, "Unknown network")


@pytest.mark.rule("T5")
async def test_a_user_ends_one_of_their_sessions(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    stolen = await signed_in(identity, CURL)
    path = f"{LIST}/{session_id(stolen)}"
    for _ in range(2):
        ended = await identity.send("DELETE", path, token=person["access_token"])
        assert ended.status == 204
        assert not await identity.is_live(stolen)
    assert await identity.is_live(person)
    (row,) = await identity.rows("session.ended")
    assert row.actor.email == EMAIL


@pytest.mark.rule("T5")
@pytest.mark.parametrize(("query", "live"), [("", True), ("?current=true", False)])
async def test_a_user_ends_all_other_sessions_or_all(
    identity: Identity, query: str, *, live: bool
) -> None:
    person, other = await identity.person(EMAIL), await identity.person(OTHER)
    further = [await signed_in(identity, CURL) for _ in range(3)]
    ended = await identity.send("DELETE", LIST + query, token=person["access_token"])
    assert ended.status == 204
    assert [await identity.is_live(one) for one in further] == [False] * 3
    assert await identity.is_live(person) is live
    assert await identity.is_live(other)


async def test_a_session_of_another_user_is_not_found(identity: Identity) -> None:
    person, other = await identity.person(EMAIL), await identity.person(OTHER)
    foreign = session_id(other)
    for unknown in (foreign, new_id("ses")):
        path = f"{LIST}/{unknown}"
        answer = await identity.send("DELETE", path, token=person["access_token"])
        assert (answer.status, answer.body["code"]) == (404, "not-found")
    assert await identity.is_live(other)


@pytest.mark.rule("T5")
async def test_a_session_of_another_user_in_the_same_shard_is_not_found(
    identity: Identity,
) -> None:
    person, foreign = await identity.person(EMAIL), session_id(await identity.person(OTHER))
    sessions = identity.database["sessions"]
    beside = {"$set": {"shard": shard_of(person["user"]["id"])}}
    await sessions.update_one({"_id": foreign}, beside)
    path = f"{LIST}/{foreign}"
    answer = await identity.send("DELETE", path, token=person["access_token"])
    assert (answer.status, answer.body["code"]) == (404, "not-found")
    assert await sessions.count_documents({"_id": foreign, "ended": False}) == 1


async def test_a_session_ends_at_its_longest_life_however_it_is_used(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, session_days=2, session_max_days=3) as identity:
        body = {"refresh_token": (await identity.person(EMAIL))["refresh_token"]}
        for _ in range(2):
            identity.clock.move(timedelta(days=1.4).total_seconds())
            answer = await identity.post("/v1/token/refresh", body)
            assert answer.status == 200
            body = {"refresh_token": answer.body["refresh_token"]}
        identity.clock.move(timedelta(days=0.3).total_seconds())
        refused = await identity.post("/v1/token/refresh", body)
        assert (refused.status, refused.body["code"]) == (401, "refresh-token-invalid")


async def told(identity: Identity) -> list[bool]:
    return [row.data["new_device"] for row in await identity.rows("session.started")]


async def test_a_mail_tells_of_a_new_device_and_never_of_the_first_one(identity: Identity) -> None:
    await identity.person(EMAIL)
    await identity.log_in(EMAIL)
    for _ in range(2):
        await signed_in(identity, CURL)
    assert await told(identity) == [False, False, True, False]
    *_, row, _ = await identity.rows("session.started")
    assert (row.data["email"], row.data["device"]) == (EMAIL, "curl")
    assert row.data["network"] == "203.0.113.7"


async def test_the_mails_about_new_devices_of_a_day_are_bounded(identity: Identity) -> None:
    await identity.person(EMAIL)
    for number in range(NOTICES_A_DAY + 2):
        await signed_in(identity, CURL | {"X-Forwarded-For": f"203.0.113.{number}"})
    assert await told(identity) == [False, *[True] * NOTICES_A_DAY, False, False]
    await identity.person(OTHER)
    await signed_in(identity, CURL, OTHER)
    assert (await told(identity))[-1]
    identity.clock.move(timedelta(days=1).total_seconds())
    await signed_in(identity, CURL | {"X-Forwarded-For": "203.0.113.200"})
    assert (await told(identity))[-1]


async def test_a_sign_in_that_is_refused_makes_no_device_known(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    store, user_id = Store(identity.database), UserId(person["user"]["id"])
    before = await store.user(user_id)
    refused = await identity.log_in(EMAIL, "another-password-1", headers=CURL)
    assert refused.status == 401
    assert await store.user(user_id) == before
