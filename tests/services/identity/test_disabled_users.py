"""The operator finds, disables, enables and unlocks users."""

from __future__ import annotations

from typing import Any

import pytest

from services.identity.use_cases.ending_sessions import SESSIONS_PER_WRITE
from shared.auth.authenticator import admin_key_id
from shared.contracts.calls.leases import SNAPSHOT, SnapshotQuery
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from tests.services.identity.running import PASSWORD, Identity
from tests.support.service import ADMIN_KEY, Answered

ADDRESS = "ana@example.com"
NEW_PASSWORD = "quiet-otters-paint-maps"
REASON = {"reason": "Leaked credentials."}
NO_USER = "usr_" + "7" * 32


async def ask(identity: Identity, action: str, user_id: str, body: Any = None) -> Answered:
    path = f"/internal/admin/users/{user_id}/{action}"
    return await identity.post(path, body, token=ADMIN_KEY)


async def find(identity: Identity, body: Any) -> Answered:
    return await identity.post("/internal/admin/users/find", body, token=ADMIN_KEY)


@pytest.mark.rule("T5")
async def test_a_disabled_user_is_signed_out_and_cannot_come_back(identity: Identity) -> None:
    ana = await identity.person(ADDRESS)
    other = (await identity.log_in(ADDRESS)).body
    user_id = ana["user"]["id"]

    disabled = await ask(identity, "disable", user_id, REASON)

    assert disabled.expect(200)["status"] == "disabled"
    assert [await identity.is_live(each) for each in (ana, other)] == [False, False]
    refused = await identity.log_in(ADDRESS)
    assert (refused.status, refused.code) == (401, "wrong-credentials")
    await identity.forgot(ADDRESS)
    token = await identity.mailed_reset(ADDRESS)
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    assert (await identity.log_in(ADDRESS, NEW_PASSWORD)).status == 401

    assert (await ask(identity, "enable", user_id)).expect(200)["status"] == "active"
    assert (await identity.log_in(ADDRESS, NEW_PASSWORD)).status == 200
    assert await identity.is_live(ana) is False


async def test_a_wrong_password_of_a_disabled_user_answers_the_same(identity: Identity) -> None:
    ana = await identity.person(ADDRESS)
    await ask(identity, "disable", ana["user"]["id"], REASON)
    answers = [await identity.log_in(ADDRESS, text) for text in (PASSWORD, "wrong-password")]
    told = [{**one.body, "request_id": ""} for one in answers]
    assert told[0] == told[1]
    assert len(await identity.rows("session.refused")) == 2, "each is recorded"


async def test_more_sessions_than_one_write_ends_are_all_ended(identity: Identity) -> None:
    ana = await identity.person(ADDRESS)
    row = await identity.database["sessions"].find_one({"user_id": ana["user"]["id"]})
    assert row is not None
    copies = [row | {"_id": f"ses_{number:032x}"} for number in range(SESSIONS_PER_WRITE + 5)]
    await identity.database["sessions"].insert_many(copies)
    await ask(identity, "disable", ana["user"]["id"], REASON)
    assert await identity.database["sessions"].count_documents({"ended": False}) == 0


async def test_each_act_is_recorded_once_with_the_operator_and_the_key(
    identity: Identity,
) -> None:
    user_id = (await identity.person(ADDRESS))["user"]["id"]
    path = f"/internal/admin/users/{user_id}"
    named = {"Rolecall-Operator": "Zo%C3%AB%20Ops"}
    acts: list[tuple[str, Any]] = [("disable", REASON), ("enable", None)]
    for action, body in acts:
        for _ in range(2):
            answer = await identity.post(f"{path}/{action}", body, token=ADMIN_KEY, headers=named)
            answer.expect(200)
    found = await identity.rows("user.disabled", "user.enabled")
    assert [row.action for row in found] == ["user.disabled", "user.enabled"]
    for row in found:
        assert (row.actor.type, row.actor.name) == ("operator", "Zoë Ops")
        assert row.actor.id == admin_key_id(ADMIN_KEY)
    assert ADMIN_KEY not in str(found)
    [told, gone] = [row.policy_objects[0] for row in found]
    assert told.kind is gone.kind is PolicyObjectKind.DISABLED_USER
    assert (told.id, told.state is None, gone.state) == (user_id, False, None)


@pytest.mark.parametrize("name", ["", "%00", "%FF", "x" * 101, "a%0Ab%1B"])
async def test_an_operator_name_that_no_one_can_read_is_refused(
    identity: Identity, name: str
) -> None:
    headers = {"Rolecall-Operator": name}
    path = f"/internal/admin/users/{NO_USER}/enable"
    assert (await identity.post(path, token=ADMIN_KEY, headers=headers)).status == 422
    assert (await identity.post(path, token="wrong", headers=headers)).status == 401


async def test_an_operator_who_means_another_service_is_refused(identity: Identity) -> None:
    """Several services have routes of the same name: an empty list of another one says nothing."""
    path = f"/internal/admin/users/{NO_USER}/enable"
    for named, status in (("identity", 404), ("notification", 421), ("", 421)):
        headers = {"Rolecall-Service": named}
        answer = await identity.post(path, token=ADMIN_KEY, headers=headers)
        assert answer.status == status, named
        assert (await identity.post(path, token="wrong", headers=headers)).status == 401


@pytest.mark.rule("T8")
async def test_an_unlocked_user_may_try_again_from_every_network(identity: Identity) -> None:
    user_id = (await identity.person(ADDRESS))["user"]["id"]
    senders = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in (1, 2)]
    for sender in senders:
        for _ in range(10):
            await identity.log_in(ADDRESS, "wrong-password", headers=sender)
    locked = [await identity.log_in(ADDRESS, headers=sender) for sender in senders]
    assert [answer.status for answer in locked] == [429, 429]
    assert (await ask(identity, "unlock", user_id)).status == 200
    again = [await identity.log_in(ADDRESS, headers=sender) for sender in senders]
    assert [answer.status for answer in again] == [200, 200]
    assert [row.data["user_id"] for row in await identity.rows("user.unlocked")] == [user_id]


async def test_a_user_is_found_by_id_and_by_address(identity: Identity) -> None:
    ana = await identity.person(ADDRESS)
    user_id = ana["user"]["id"]
    by_id = (await find(identity, {"user_id": user_id})).expect(200)
    assert (await find(identity, {"email": "Ana@Example.com"})).expect(200) == by_id
    assert (by_id["id"], by_id["status"], by_id["has_password"]) == (user_id, "active", True)
    assert [one["account_id"] for one in by_id["sessions"]] == [ana["account_id"]]
    assert by_id["second_factors"] == []
    await identity.add_totp(ana["access_token"])
    assert (await find(identity, {"user_id": user_id})).body["second_factors"] == ["totp"]
    for misfit in ({}, {"user_id": user_id, "email": ADDRESS}, {"email": "x"}, {"user_id": "x"}):
        assert (await find(identity, misfit)).status == 422, misfit
    for unknown in ({"user_id": NO_USER}, {"email": "bo@example.com"}):
        assert (await find(identity, unknown)).status == 404


@pytest.mark.rule("T5")
async def test_a_snapshot_has_the_users_who_are_disabled(identity: Identity) -> None:
    people = [(await identity.person(f"ana{number}@example.com"))["user"] for number in range(3)]
    for user in people[:2]:
        await ask(identity, "disable", user["id"], REASON)
    await ask(identity, "enable", people[1]["id"])
    told: list[PolicyObject] = []
    cursor = None
    while True:
        query = SnapshotQuery(cursor=cursor)
        page = await identity.callers["authz"].call(SNAPSHOT, "identity", query)
        told += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    disabled = [one.id for one in told if one.kind is PolicyObjectKind.DISABLED_USER]
    assert disabled == [people[0]["id"]]


async def test_an_unknown_user_is_not_found(identity: Identity) -> None:
    for action, body in (("disable", REASON), ("enable", None), ("unlock", None), ("erase", None)):
        assert (await ask(identity, action, NO_USER, body)).status == 404
