"""Tests of the user of the request, and of the user that other services get."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.users import FormerAddress
from services.identity.store import Store
from services.identity.store.former_addresses import list_former_addresses
from shared.contracts.calls.identity import USER, InternalUser
from shared.ids import UserId
from shared.problems import Refusal
from tests.services.identity.running import Identity, running
from tests.support.service import FAR

if TYPE_CHECKING:
    from services.identity.domain.users import User


async def test_a_user_sees_and_changes_their_name(identity: Identity) -> None:
    person = await identity.person("ana@example.com", name="Ana")
    token = person["access_token"]
    renamed = await identity.send("PATCH", "/v1/me", {"name": "Ana Díaz"}, token=token)
    assert (renamed.status, renamed.body["name"]) == (200, "Ana Díaz")
    assert renamed.headers["Rolecall-Revision"].startswith("identity.")
    me = await identity.send("GET", "/v1/me", token=token)
    assert me.body == {
        "id": person["user"]["id"],
        "email": "ana@example.com",
        "name": "Ana Díaz",
        "verified": True,
        "locale": "en",
        "time_zone": "UTC",
        "account_id": person["account_id"],
        "session_id": me.body["session_id"],
        "current_account_id": person["account_id"],
    }
    same = await identity.send("PATCH", "/v1/me", {"name": "Ana Díaz"}, token=token)
    assert same.status == 200
    (row,) = await identity.rows("user.renamed")
    assert (row.before, row.after) == ({"name": "Ana"}, {"name": "Ana Díaz"})
    assert (row.actor.email, row.actor.session_id) == ("ana@example.com", me.body["session_id"])
    bad = await identity.send("PATCH", "/v1/me", {"name": "a\nb"}, token=token)
    assert bad.status == 422


async def test_a_user_chooses_a_language_and_a_time_zone(identity: Identity) -> None:
    person = await identity.person("ana@example.com", name="Ana")
    send = partial(identity.send, "PATCH", "/v1/me", token=person["access_token"])
    changed = await send({"locale": "de", "time_zone": "Europe/Vienna"})
    assert (changed.body["locale"], changed.body["time_zone"]) == ("de", "Europe/Vienna")
    assert (await send({"locale": "de"})).status == 200
    renamed = await send({"name": "Ana Díaz"})
    assert (renamed.body["locale"], renamed.body["time_zone"]) == ("de", "Europe/Vienna")
    (row,) = await identity.rows("user.locale_changed")
    assert row.before == {"locale": "en", "time_zone": "UTC"}
    assert row.after == {"locale": "de", "time_zone": "Europe/Vienna"}
    assert (row.data["email"], row.data["locale"]) == ("ana@example.com", "de")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"locale": "fr"}, "/locale"),
        ({"locale": "de\r\nBcc: victim@x.example"}, "/locale"),
        ({"time_zone": "Mars/Olympus_Mons"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
    ],
    ids=str,
)
async def test_a_language_or_zone_that_is_not_known_is_refused(
    identity: Identity, change: dict[str, str], pointer: str
) -> None:
    person = await identity.person("ana@example.com", name="Ana")
    refused = await identity.send("PATCH", "/v1/me", change, token=person["access_token"])
    assert refused.status == 422
    assert [error["pointer"] for error in refused.body["errors"]] == [pointer]
    assert await identity.rows("user.locale_changed") == []


async def test_a_new_user_has_the_language_of_the_browser_that_signed_up(
    identity: Identity,
) -> None:
    german = {"Accept-Language": "de-AT, en;q=0.5"}
    await identity.sign_up("ana@example.com", headers=german)
    await identity.sign_up("ana@example.com", headers={"Accept-Language": "en"})
    first, again = await identity.rows("sign_up.requested")
    assert (first.data["locale"], again.data["locale"]) == ("de", "de")
    [*_, link] = await identity.mailed_links("ana@example.com")
    await identity.verify(link)
    (row,) = await identity.rows("user.signed_up")
    assert row.data["locale"] == "de"


async def test_team_gets_a_user(identity: Identity) -> None:
    person = await identity.person("Ana@example.com")
    client = identity.callers["team"]
    found = await client.call(USER, "identity", path={"user_id": person["user"]["id"]})
    assert found == InternalUser(
        user_id=person["user"]["id"],
        email="Ana@example.com",
        email_verified=True,
        name="Ana",
        account_id=person["account_id"],
        status="active",
    )
    with pytest.raises(Refusal) as refused:
        await client.call(USER, "identity", path={"user_id": "usr_" + "0" * 32})
    assert refused.value.code == "not-found"


async def test_a_sign_out_during_a_change_of_name_stops_the_change(
    mongo_url: str, database_name: str
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    class SlowStore(Store):
        async def user(self, user_id: UserId, session: Any = None) -> User | None:
            found = await super().user(user_id, session)
            if session is None and self.slow and not reading.is_set():
                reading.set()
                await go_on.wait()
            return found

        slow = False

    async with running(mongo_url, database_name, wiring={"store": SlowStore}) as identity:
        token = (await identity.person("ana@example.com", name="Ana"))["access_token"]
        SlowStore.slow = True
        change = identity.send("PATCH", "/v1/me", {"name": "Other"}, token=token)
        renaming = asyncio.create_task(change)
        await reading.wait()
        assert (await identity.post("/v1/logout", token=token)).status == 204
        go_on.set()

        assert (await renaming).status == 401
        assert await identity.rows("user.renamed") == []


async def test_an_ended_session_is_refused_before_its_input(identity: Identity) -> None:
    token = (await identity.person("ana@example.com"))["access_token"]
    await identity.post("/v1/logout", token=token)

    for body in ({"name": "a\nb"}, {"unknown": 1}, {"name": "Good"}):
        refused = await identity.send("PATCH", "/v1/me", body, token=token)
        assert (refused.status, refused.code) == (401, "token-revoked"), body


async def test_the_former_address_of_an_earlier_version_can_still_be_restored(
    identity: Identity,
) -> None:
    store, users = Store(identity.database), identity.database["users"]
    names = ("ana", "bo", "cy")
    ids = [UserId((await identity.person(f"{name}@example.com"))["user"]["id"]) for name in names]
    changed = {
        "undo_email": "ana@old.example",
        "undo_email_key": "ana@old.example",
        "undo_generation": 2,
        "undo_until": FAR + timedelta(days=7),
    }
    restored = dict.fromkeys(changed, None) | {"undo_generation": 1, "password_hash": None}
    for user_id, earlier in zip(ids, (changed, restored, {"undo_email": None}), strict=True):
        change = {"$set": earlier, "$unset": {"former_addresses": "", "password_taken": ""}}
        await users.update_one({"_id": user_id}, change)
    for _ in range(2):
        await list_former_addresses(identity.database)
        ana, bo, cy = [await store.user(user_id) for user_id in ids]
        assert ana is not None
        assert bo is not None
        assert cy is not None
        assert ana.former_addresses == (
            FormerAddress(
                email="ana@old.example",
                email_key="ana@old.example",
                generation=2,
                until=FAR + timedelta(days=7),
            ),
        )
        assert [one.password_taken for one in (ana, bo, cy)] == [False, True, False]
        assert (bo.former_addresses, cy.former_addresses) == ((), ())
