"""Saved searches: of one member or shared, few, and gone with the membership."""

from __future__ import annotations

from typing import Any

import pytest

from services.audit.domain.saved_searches import (
    MAX_OF_MEMBER,
    MAX_SHARED,
    SavedSearch,
    SearchChange,
    TooManySearches,
    changed,
    require_room,
)
from services.audit.use_cases.saved_searches import save_search, show_search
from shared.contracts.facts import Actor, Caller, RequestInfo, ResourceRef
from shared.contracts.team import MemberLeft
from shared.contracts.team_endings import AccountDeleted
from shared.ids import AccountId, SearchId, UserId
from shared.problems import NotFound
from tests.services.audit.site import ACCOUNT, ANA, BO, OTHER, READER
from tests.services.rows import NOON, row_of

FILTERS = {"action": "member.", "from": "2026-03-05T12:00:00Z", "outcome": "denied"}
NEW = {"name": "Refusals", "filters": FILTERS}


def a_search(*, shared: bool) -> SavedSearch:
    return SavedSearch(
        id=SearchId("sch_1"),
        account_id=AccountId("acc_1"),
        created_by=ANA,
        created_at=NOON,
        name="Refusals",
        filters=FILTERS,
        shared=shared,
    )


@pytest.mark.parametrize(
    ("shared", "before", "of_member", "of_account", "fits"),
    [
        (False, None, MAX_OF_MEMBER - 1, MAX_SHARED, True),
        (False, None, MAX_OF_MEMBER, 0, False),
        (True, None, 0, MAX_SHARED - 1, True),
        (True, None, 0, MAX_SHARED, False),
        (True, False, MAX_OF_MEMBER, MAX_SHARED - 1, True),
        (True, False, MAX_OF_MEMBER, MAX_SHARED, False),
        (True, True, MAX_OF_MEMBER, MAX_SHARED, True),
        (False, True, MAX_OF_MEMBER, MAX_SHARED, True),
    ],
)
def test_a_member_and_an_account_have_a_bounded_number(
    *, shared: bool, before: bool | None, of_member: int, of_account: int, fits: bool
):
    former = None if before is None else a_search(shared=before)
    if fits:
        require_room(a_search(shared=shared), of_member=of_member, shared=of_account, before=former)
        return
    with pytest.raises(TooManySearches):
        require_room(a_search(shared=shared), of_member=of_member, shared=of_account, before=former)


def test_a_change_without_an_effect_is_not_recorded():
    search = a_search(shared=True)
    assert changed(search, SearchChange(name="Refusals", shared=True)) == (search, None)
    after, fact = changed(search, SearchChange(filters={}))
    assert (after.filters, after.changes) == ({}, 1)
    assert fact is not None
    assert fact.before == search.shown()


@pytest.mark.rule("Rp14")
async def test_the_filters_of_a_saved_search_are_those_of_a_search(api):
    status, saved = await api.ask("POST", "audit-searches", NEW, **{"Idempotency-Key": "once"})
    assert (status, saved["filters"], saved["shared"]) == (201, FILTERS, False)
    repeated = await api.ask("POST", "audit-searches", NEW, **{"Idempotency-Key": "once"})
    assert repeated == (201, saved)
    status, found = await api.ask("GET", f"audit-searches/{saved['id']}")
    assert (status, found) == (200, saved)
    query = "&".join(f"{name}={value}" for name, value in found["filters"].items())
    assert (await api.search(query))["items"] == []
    for filters, pointer in (
        ({"action": "Member"}, "/filters/action"),
        ({"from": "2026-03-05T12:00:00Z", "to": "2025-03-05T12:00:00Z"}, "/filters/to"),
        ({"nothing": "x"}, "/filters/nothing"),
        ({"from": 1741176000}, "/filters/from"),
        ({"action": 7}, "/filters/action"),
    ):
        status, problem = await api.ask("POST", "audit-searches", {"name": "x", "filters": filters})
        assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.rule("Rp15")
async def test_a_search_of_a_member_is_for_that_member_alone(api):
    made = {
        shared: (await api.ask("POST", "audit-searches", NEW | {"shared": shared}, reader=ANA))[1]
        for shared in (False, True)
    }
    _, seen = await api.ask("GET", "audit-searches", reader=BO)
    assert [each["id"] for each in seen["items"]] == [made[True]["id"]]
    own, shared = (f"audit-searches/{made[each]['id']}" for each in (False, True))
    api.others.denied = {"account:update"}
    for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("DELETE", None)):
        assert (await api.ask(method, own, body, reader=BO))[0] == 404, method
    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
        status, problem = await api.ask(method, shared, body, reader=BO)
        assert (status, problem["permission"]) == (403, "account:update"), method
    seen_before = {"If-Match": made[True]["etag"]}
    assert (await api.ask("PATCH", shared, {"name": "Ours"}, reader=ANA, **seen_before))[0] == 200
    status, problem = await api.ask("PATCH", shared, {"name": "My"}, reader=ANA, **seen_before)
    assert (status, problem["code"]) == (412, "precondition-failed")
    api.others.denied = set()
    assert (await api.ask("DELETE", shared, reader=BO))[0] == 204
    assert (await api.ask("DELETE", own, reader=BO))[0] == 404
    assert (await api.ask("DELETE", own, reader=ANA))[0] == 204


async def save(auditing: Any, account: AccountId, user_id: UserId, *, shared: bool) -> SearchId:
    caller = Caller(actor=Actor(type="user", id=user_id), request=RequestInfo(request_id="req_1"))
    saved = await save_search(
        auditing.ctx,
        caller,
        account,
        user_id=user_id,
        name="Refusals",
        filters=FILTERS,
        shared=shared,
        guard=None,
        answer=lambda search: search,  # type: ignore[arg-type, return-value]
    )
    return saved.result.id


async def test_what_a_member_saved_alone_ends_with_the_membership(auditing):
    gone = await save(auditing, ACCOUNT, BO, shared=False)
    kept = [
        await save(auditing, ACCOUNT, BO, shared=True),
        await save(auditing, ACCOUNT, READER, shared=False),
        await save(auditing, OTHER, BO, shared=False),
    ]
    with pytest.raises(NotFound):  # the search is shared, in the other account
        await show_search(auditing.ctx, OTHER, SearchId(kept[0]), user_id=BO)
    left = MemberLeft(account_name="Acme", user_id=BO, email="b@x.example", name="Bo", role="admin")
    row = row_of(left, account_id=ACCOUNT, resource=ResourceRef(type="member", id=BO, name="Bo"))
    await auditing.take(row, row)
    assert {each["_id"] for each in await auditing.all("saved_searches")} == set(kept)
    assert gone not in kept
    assert [each["_id"] for each in await auditing.all("records")] == [row.id]

    deleted = AccountDeleted(account_name="Acme", owner_user_id=ANA)
    await auditing.take(row_of(deleted, account_id=ACCOUNT))
    assert [each["_id"] for each in await auditing.all("saved_searches")] == [kept[-1]]
