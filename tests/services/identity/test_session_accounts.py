"""Where sessions fall back to after a user gave their first personal account away."""

from __future__ import annotations

from typing import Any

import pytest

from services.identity.store import Store
from shared.contracts.team import AccountCreated, MemberLeft, MemberRemoved
from shared.contracts.team_endings import AccountDeletionRequested
from shared.ids import UserId, new_id
from tests.services.identity.running import Identity
from tests.services.rows import row_of
from tests.support.service import FAR


def created(
    person: dict[str, Any], account_id: str, *, kind: Any = "personal", number: int = 1
) -> Any:
    told = AccountCreated(
        account_name="Ana",
        kind=kind,
        owner_user_id=person["user"]["id"],
        catalog="standard@1",
        number=number,
    )
    return row_of(told, account_id=account_id)


def gone(person: dict[str, Any], account_id: str, how: type = MemberLeft) -> Any:
    told = how(
        account_name="Team",
        user_id=person["user"]["id"],
        email="ana@example.com",
        name="Ana",
        role="admin",
    )
    return row_of(told, account_id=account_id)


async def place_of(identity: Identity, person: dict[str, Any]) -> tuple[str, str]:
    """The personal account, and the current one of the session."""
    me = await identity.send("GET", "/v1/me", token=person["access_token"])
    assert me.status == 200
    return me.body["account_id"], me.body["current_account_id"]


@pytest.mark.rule("Ro21", "Nv7")
async def test_a_former_owner_stays_in_the_team_until_they_leave_it(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    first, second = person["account_id"], new_id("acc")
    row = created(person, second)
    await identity.tell(row)
    await identity.tell(row)
    assert await place_of(identity, person) == (second, first)
    await identity.tell(gone(person, first))
    assert await place_of(identity, person) == (second, second)
    again = await identity.post("/v1/token/refresh", {"refresh_token": person["refresh_token"]})
    assert again.body["account_id"] == second
    assert (await identity.log_in("ana@example.com")).body["account_id"] == second


@pytest.mark.rule("Ro21", "Ro16")
@pytest.mark.parametrize("how", [MemberLeft, MemberRemoved])
async def test_the_end_of_the_membership_may_be_told_first(identity: Identity, how: type) -> None:
    person = await identity.person("ana@example.com")
    first, second = person["account_id"], new_id("acc")
    await identity.tell(gone(person, first, how))
    assert await place_of(identity, person) == (first, first)
    await identity.tell(created(person, second))
    assert await place_of(identity, person) == (second, second)


def deleted(person: dict[str, Any], account_id: str) -> Any:
    told = AccountDeletionRequested(
        account_name="Ana",
        owner_user_id=person["user"]["id"],
        owner_email="ana@example.com",
        owner_name="Ana",
        deletes_at=FAR,
    )
    return row_of(told, account_id=account_id)


@pytest.mark.rule("Ro21")
@pytest.mark.parametrize("deletion_first", [True, False])
async def test_sessions_leave_a_deleted_account_for_the_new_one(
    identity: Identity, *, deletion_first: bool
) -> None:
    person = await identity.person("ana@example.com")
    first, second = person["account_id"], new_id("acc")
    rows = [deleted(person, first), created(person, second)]
    for row in rows if deletion_first else reversed(rows):
        await identity.tell(row)
        await identity.tell(row)
    assert await place_of(identity, person) == (second, second)
    body = {"refresh_token": person["refresh_token"]}
    refreshed = await identity.post("/v1/token/refresh", body)
    assert refreshed.body["account_id"] == second


async def test_of_two_personal_accounts_the_later_one_counts(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    first, second, third = (created(person, new_id("acc"), number=n) for n in (1, 2, 7))
    for row in (second, third, first, second):
        await identity.tell(row)
    assert (await place_of(identity, person))[0] == third.account_id


async def test_other_new_accounts_change_nothing(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    first = person["account_id"]
    store = Store(identity.database)
    before = await store.user(UserId(person["user"]["id"]))
    stranger = {"user": {"id": new_id("usr")}}
    for row in (
        created(person, new_id("acc"), number=0),
        created(person, new_id("acc"), kind="team"),
        created(stranger, new_id("acc")),
    ):
        await identity.tell(row)
    assert await store.user(UserId(person["user"]["id"])) == before
    assert await place_of(identity, person) == (first, first)
