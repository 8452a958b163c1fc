"""API tokens in identity: what is stored, what a repeat shows, what ends them, the last use."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.api_tokens import MAX_LIVE_TOKENS
from services.identity.migrations import API_TOKENS
from services.identity.store import Store
from services.identity.store.api_tokens import ENDED_TOKEN_RETENTION
from shared.contracts.calls.identity import TOKEN_USES, TokenUse, TokenUsesReport
from shared.contracts.calls.leases import SNAPSHOT, SnapshotQuery
from shared.contracts.team import MemberRemoved
from tests.services.identity.running import MEMBERSHIP, Identity, running
from tests.services.rows import row_of

if TYPE_CHECKING:
    from datetime import datetime

    from services.identity.domain.api_tokens import ApiToken
    from shared.ids import AccountId, TokenId
    from shared.mongo import DbSession

ADDRESS = "ana@example.com"


def place(person: dict[str, Any], token: dict[str, Any] | None = None) -> str:
    path = f"/v1/accounts/{person['account_id']}/api-tokens"
    return path if token is None else f"{path}/{token['id']}"


async def shown(identity: Identity, person: dict[str, Any], token: dict[str, Any]) -> Any:
    return (await identity.send("GET", place(person, token), token=person["access_token"])).body


def copies_of(token: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Documents of that many further tokens, in the same shard."""
    start, last = token["_id"][:-3], int(token["_id"][-3:], 16)
    return [token | {"_id": f"{start}{(last + each) % 4096:03x}"} for each in range(1, number + 1)]


def removed(person: dict[str, Any], at: datetime) -> Any:
    told = MemberRemoved(
        account_name="Team", user_id=person["user"]["id"], email=ADDRESS, name="Ana", role="admin"
    )
    return row_of(told, account_id=person["account_id"], occurred_at=at)


@pytest.mark.rule("T15")
async def test_the_secret_is_nowhere_in_the_database(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    made = await identity.make_token(person)
    secret = made["secret"].removeprefix("rct_")
    for name in await identity.database.list_collection_names():
        async for document in identity.database[name].find({}):
            assert secret not in str(document), name
    [row] = await identity.rows("api_token.created")
    assert (row.data["token_id"], row.data["account_name"]) == (made["id"], "Acme")
    assert row.actor.session_id is not None


async def test_a_repeated_key_makes_one_token_and_shows_its_secret_once(
    identity: Identity,
) -> None:
    person = await identity.person(ADDRESS)
    identity.stand_ins.members.add((person["user"]["id"], person["account_id"]))
    sent = {"token": person["access_token"], "headers": {"Idempotency-Key": "one"}}
    first = await identity.post(place(person), {"name": "CI"}, **sent)
    again = await identity.post(place(person), {"name": "CI"}, **sent)
    assert (first.status, again.status) == (201, 201)
    assert first.body["secret"].startswith("rct_")
    assert again.body == first.body | {"secret": None, "note": "shown-once"}


@pytest.mark.rule("B2")
async def test_a_token_ends_after_90_days_or_at_a_time_within_a_year(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    now = identity.clock.now()
    made = await identity.make_token(person)
    assert made["expires_at"][:10] == (now + timedelta(days=90)).isoformat()[:10]
    end = (now + timedelta(days=366)).isoformat()
    await identity.make_token(person, expires_at=end)
    for wrong in (now, now + timedelta(days=366, seconds=10)):
        body = {"name": "CI", "expires_at": wrong.isoformat()}
        refused = await identity.post(place(person), body, token=person["access_token"])
        assert refused.status == 422, refused.text
    identity.clock.move(timedelta(days=91).total_seconds())


@pytest.mark.rule("Ci10")
async def test_a_token_makes_none_that_outlives_it(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    end = identity.clock.now() + timedelta(days=1)
    maker = await identity.make_token(person, expires_at=end.isoformat())
    made = await identity.post(place(person), {"name": "CI"}, token=maker["secret"])
    assert made.expect(201)["expires_at"] == maker["expires_at"]
    later = {"name": "CI", "expires_at": (end + timedelta(seconds=1)).isoformat()}
    refused = await identity.post(place(person), later, token=maker["secret"])
    assert (refused.status, refused.body["code"]) == (403, "token-too-wide")


class RevokedMeanwhile(Store):
    """Inside a transaction every API token was revoked a moment before."""

    async def token(
        self, token_id: TokenId, account_id: AccountId, session: DbSession | None = None
    ) -> ApiToken | None:
        found = await super().token(token_id, account_id, session)
        if session is None or found is None:
            return found
        return replace(found, revoked_at=found.created_at)


@pytest.mark.rule("T5")
async def test_a_token_that_is_revoked_meanwhile_makes_none(
    mongo_url: str, database_name: str
) -> None:
    wiring = {"store": RevokedMeanwhile}
    async with running(mongo_url, database_name, wiring=wiring) as identity:
        person = await identity.person(ADDRESS)
        maker = await identity.make_token(person)
        refused = await identity.post(place(person), {"name": "CI"}, token=maker["secret"])
        assert (refused.status, refused.body["code"]) == (401, "token-revoked")
        assert len(await identity.rows("api_token.created")) == 1


async def test_a_member_has_100_live_tokens_at_most(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    made = await identity.make_token(person)
    [kept] = [one async for one in identity.database["api_tokens"].find({})]
    await identity.database["api_tokens"].insert_many(copies_of(kept, MAX_LIVE_TOKENS - 1))
    refused = await identity.post(place(person), {"name": "CI"}, token=person["access_token"])
    assert (refused.status, refused.body["code"]) == (409, "too-many-tokens")
    await identity.send("DELETE", place(person, made), token=person["access_token"])
    await identity.make_token(person)


async def test_tokens_that_are_over_hide_no_live_ones(identity: Identity) -> None:
    """Those that have expired are kept for a while; neither the limit nor an end reads them."""
    person = await identity.person(ADDRESS)
    over = (identity.clock.now() + timedelta(seconds=5)).isoformat()
    await identity.make_token(person, expires_at=over)
    tokens = identity.database["api_tokens"]
    [kept] = [one async for one in tokens.find({})]
    await tokens.insert_many(copies_of(kept, 2 * MAX_LIVE_TOKENS))
    identity.clock.move(10)
    made = await identity.make_token(person)
    live = await tokens.find_one({"_id": made["id"]})
    assert live is not None
    await tokens.insert_many(copies_of(live, MAX_LIVE_TOKENS - 1))
    refused = await identity.post(place(person), {"name": "CI"}, token=person["access_token"])
    assert (refused.status, refused.body["code"]) == (409, "too-many-tokens")
    identity.clock.move(10)
    await identity.tell(removed(person, identity.clock.now()))
    assert len(await identity.rows("api_token.revoked")) == MAX_LIVE_TOKENS


@pytest.mark.rule("Ci10", "T5")
async def test_the_end_of_a_membership_revokes_its_tokens_and_no_later_one(
    identity: Identity,
) -> None:
    person = await identity.person(ADDRESS)
    old = await identity.make_token(person)
    identity.clock.move(10)
    left_at = identity.clock.now()
    identity.clock.move(10)
    later = await identity.make_token(person)
    await identity.tell(removed(person, left_at))
    [row] = await identity.rows("api_token.revoked")
    assert (row.data["token_id"], row.data["because"]) == (old["id"], "membership-ended")
    assert (await shown(identity, person, old))["status"] == "revoked"
    assert (await shown(identity, person, later))["status"] == "active"


async def test_the_snapshot_has_the_live_tokens(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    live, revoked = await identity.make_token(person), await identity.make_token(person)
    await identity.send("DELETE", place(person, revoked), token=person["access_token"])
    page = await identity.callers["authz"].call(SNAPSHOT, "identity", SnapshotQuery())
    told = {one.id: one.state for one in page.items if one.kind == "api_token"}
    assert set(told) == {live["id"]}
    state = told[live["id"]]
    assert state is not None
    assert state["membership_id"] == MEMBERSHIP
    assert live["secret"] not in str(state)


async def test_the_last_use_is_saved_once_in_a_while(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    token = await identity.make_token(person)
    assert (await shown(identity, person, token))["last_used_at"] is None
    first = identity.clock.now()
    for seconds in (0, 60):
        use = TokenUse(token_id=token["id"], at=first + timedelta(seconds=seconds))
        report = TokenUsesReport(uses=(use,))
        await identity.callers["authz"].call(TOKEN_USES, "identity", report)
    told = (await shown(identity, person, token))["last_used_at"]
    assert told[:19] == first.isoformat()[:19]


async def test_the_database_deletes_a_token_30_days_after_its_end(identity: Identity) -> None:
    assert any(index.ttl_seconds == 0 for index in API_TOKENS if index.name == "delete_at")
    person = await identity.person(ADDRESS)
    token = await identity.make_token(person)
    [kept] = [one async for one in identity.database["api_tokens"].find({})]
    assert kept["delete_at"] == kept["expires_at"] + ENDED_TOKEN_RETENTION
    await identity.send("DELETE", place(person, token), token=person["access_token"])
    [kept] = [one async for one in identity.database["api_tokens"].find({})]
    assert kept["delete_at"] == kept["revoked_at"] + ENDED_TOKEN_RETENTION


@pytest.mark.rule("Ci10")
async def test_their_creator_lists_and_revokes_tokens_of_every_account(identity: Identity) -> None:
    """No account is asked: also a suspended one, or one that the creator has left, has no say."""
    ana, bo = await identity.person("ana@example.com"), await identity.person("bo@example.com")
    made = [await identity.make_token(who, name=name) for who, name in ((ana, "a"), (bo, "b"))]
    identity.stand_ins.members.clear()
    for number, token in enumerate(made):
        path = f"/v1/me/api-tokens/{token['id']}"
        other = [ana, bo][1 - number]
        refused = await identity.send("DELETE", path, token=other["access_token"])
        assert (refused.status, refused.body["code"]) == (404, "not-found")
    path = f"/v1/me/api-tokens/{made[0]['id']}"
    for _ in range(2):
        gone = await identity.send("DELETE", path, token=ana["access_token"])
        assert gone.status == 204
    assert [row.data["token_id"] for row in await identity.rows("api_token.revoked")] == [
        made[0]["id"]
    ]
    for who, status in ((ana, "revoked"), (bo, "active")):
        page = await identity.send("GET", "/v1/me/api-tokens", token=who["access_token"])
        assert [each["status"] for each in page.body["items"]] == [status]


async def test_a_user_pages_through_the_tokens_of_every_account(identity: Identity) -> None:
    ana = await identity.person("ana@example.com")
    names = ["a", "b", "c"]
    for name in names:
        await identity.make_token(ana, name=name)
        identity.clock.move(1)
    seen, query = [], "limit=2"
    for _ in range(2):
        page = await identity.send("GET", f"/v1/me/api-tokens?{query}", token=ana["access_token"])
        seen += [each["name"] for each in page.body["items"]]
        query = f"limit=2&cursor={page.body['next_cursor']}"
    assert (seen, page.body["next_cursor"]) == (names[::-1], None)
