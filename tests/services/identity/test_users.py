"""Tests of the user of the request, and of the user that other services get."""

from __future__ import annotations

import pytest

from shared.contracts.calls.identity import USER, InternalUser
from shared.problems import Refusal
from tests.services.identity.running import Identity


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
