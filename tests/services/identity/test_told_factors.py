"""Who has a second factor, as the followers of identity learn it: from changes and snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.contracts.calls.leases import SNAPSHOT, SnapshotQuery
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from tests.services.identity.ceremonies import add, new_passkey
from tests.services.identity.test_disabled_users import ask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.services.identity.running import Identity

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADDED, REMOVED = "user.second_factor_added", "user.second_factor_removed"


async def in_snapshot(identity: Identity, user_id: str) -> list[PolicyObject]:
    """What a snapshot tells of the user's second factors."""
    found: list[PolicyObject] = []
    cursor: str | None = ""
    while cursor is not None:
        query = SnapshotQuery(cursor=cursor or None)
        page = await identity.callers["authz"].call(SNAPSHOT, "identity", query)
        found += [one for one in page.items if one.kind is PolicyObjectKind.SECOND_FACTOR]
        cursor = page.next_cursor
    return [one for one in found if one.id == user_id]


async def in_journal(identity: Identity) -> list[PolicyObject]:
    """What changes have told of second factors."""
    rows = await identity.rows(ADDED, REMOVED)
    found = [one for row in rows for one in row.policy_objects]
    assert {one.kind for one in found} <= {PolicyObjectKind.SECOND_FACTOR}
    return found


async def add_app(identity: Identity, token: str) -> None:
    await identity.add_totp(token)


async def add_passkey(identity: Identity, token: str) -> None:
    assert (await add(identity, token, new_passkey())).status == 200


async def remove_app(identity: Identity, token: str, user_id: str) -> None:
    answer = await identity.send("DELETE", "/v1/me/mfa/totp", token=token)
    assert answer.status == 204


async def remove_passkey(identity: Identity, token: str, user_id: str) -> None:
    [known] = (await identity.send("GET", "/v1/me/passkeys", token=token)).body["items"]
    path = f"/v1/me/passkeys/{known['id']}"
    assert (await identity.send("DELETE", path, token=token)).status == 204


async def reset(identity: Identity, token: str, user_id: str) -> None:
    assert (await ask(identity, "reset-mfa", user_id)).status == 200


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (add_app, remove_app),
        (add_passkey, remove_passkey),
        (add_app, reset),
        (add_passkey, reset),
    ],
)
async def test_followers_learn_of_the_first_factor_and_of_the_end_of_the_last(
    identity: Identity,
    begin: Callable[[Identity, str], Awaitable[None]],
    end: Callable[[Identity, str, str], Awaitable[None]],
) -> None:
    ana = await identity.person("ana@example.com")
    token, user_id = ana["access_token"], ana["user"]["id"]
    assert await in_snapshot(identity, user_id) == []

    await begin(identity, token)

    [told] = await in_journal(identity)
    assert (told.id, told.state) == (user_id, {})
    assert await in_snapshot(identity, user_id) == [told]

    await end(identity, token, user_id)

    [_, told] = await in_journal(identity)
    assert (told.id, told.state) == (user_id, None)
    assert await in_snapshot(identity, user_id) == []


@pytest.mark.rule("B1")
async def test_a_user_keeps_the_factor_that_is_left(identity: Identity) -> None:
    ana = await identity.person("ana@example.com")
    token, user_id = ana["access_token"], ana["user"]["id"]
    await add_app(identity, token)
    [first] = await in_journal(identity)
    await add_passkey(identity, token)

    await remove_app(identity, token, user_id)

    assert [one.state for one in await in_journal(identity)] == [{}, {}, {}]
    assert await in_snapshot(identity, user_id) == [first]


async def test_an_app_without_its_first_code_does_not_count(identity: Identity) -> None:
    ana = await identity.person("ana@example.com")
    await identity.begin_totp(ana["access_token"])
    assert await in_snapshot(identity, ana["user"]["id"]) == []
    assert await in_journal(identity) == []
