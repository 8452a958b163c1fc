"""Introspection (RFC 7662): what a service client learns of which tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rolecall.client.access_tokens import ACCESS_SECONDS
from services.identity.domain.introspection import learns_of
from services.identity.domain.service_clients import ServiceClient
from shared.ids import ClientId
from tests.services.identity.running import MEMBERSHIP
from tests.support.service import ISSUER

if TYPE_CHECKING:
    from tests.services.identity.running import Identity
    from tests.support.service import Answered

PATH = "/oauth2/introspect"
ONE, OTHER = "acc_" + "1" * 32, "acc_" + "2" * 32
INACTIVE = {"active": False}
LEARNS: list[tuple[tuple[str, ...] | None, list[str] | None, bool]] = [
    (None, None, True),
    (None, [ONE], True),
    ((ONE,), None, False),
    ((ONE,), [ONE], True),
    ((ONE,), [OTHER], False),
    ((ONE,), [ONE, OTHER], False),
    ((ONE, OTHER), [ONE], True),
    ((), [ONE], False),
    ((), [], True),
    ((), None, False),
]
"""The accounts of the client, those of the token, and whether the client learns of it."""


async def asked(identity: Identity, client: dict[str, str], token: str) -> Answered:
    form = {"token": token, "client_id": client["id"], "client_secret": client["secret"]}
    return await identity.post(PATH, form=form)


async def told(identity: Identity, client: dict[str, str], token: str) -> dict[str, Any]:
    answer = await asked(identity, client, token)
    assert answer.status == 200, answer.text
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    return dict(answer.body)


async def member(identity: Identity) -> dict[str, Any]:
    """A user whom authz knows as a member of their personal account."""
    person = await identity.person("ana@example.com")
    identity.stand_ins.members.add((person["user"]["id"], person["account_id"]))
    return person


async def token_of(identity: Identity, client: dict[str, str]) -> str:
    issued = await identity.get_token(client, {"grant_type": "client_credentials"})
    return str(issued.expect(200)["access_token"])


@pytest.mark.parametrize(("bound", "acts_in", "learns"), LEARNS)
def test_a_bound_client_learns_of_the_tokens_of_its_accounts(
    bound: tuple[str, ...] | None, acts_in: list[str] | None, learns: object
) -> None:
    client = ServiceClient(
        id=ClientId("cli_1"),
        name="billing",
        secret_hash="",
        scopes=(),
        account_ids=bound,
        resource_types=None,
    )
    assert learns_of(client, acts_in) is learns


async def test_an_access_token_of_a_user_is_told_without_roles(identity: Identity) -> None:
    client, person = await identity.make_client(), await member(identity)
    found = await told(identity, client, person["access_token"])
    assert found.pop("jti").startswith("tok_")
    issued = found.pop("iat")
    assert found == {
        "active": True,
        "token_use": "access_token",
        "token_type": "Bearer",
        "iss": ISSUER,
        "aud": "rolecall",
        "sub": person["user"]["id"],
        "exp": issued + ACCESS_SECONDS,
        "acct": person["account_id"],
    }


async def test_an_api_token_is_told_with_its_account_and_restriction(identity: Identity) -> None:
    client, person = await identity.make_client(), await member(identity)
    plain = await identity.make_token(person)
    limited = await identity.make_token(person, restriction={"read_only": True})
    found = await told(identity, client, plain["secret"])
    assert (found["sub"], found["jti"]) == (person["user"]["id"], plain["id"])
    assert (found["acct"], found["membership_id"]) == (person["account_id"], MEMBERSHIP)
    assert (found["token_use"], "restriction" in found) == ("api_token", False)
    found = await told(identity, client, limited["secret"])
    assert found["restriction"] == {"read_only": True}


async def test_a_token_of_a_client_is_told_with_its_scopes(identity: Identity) -> None:
    client = await identity.make_client(scopes=["authz:check", "audit:write"])
    found = await told(identity, client, await token_of(identity, client))
    assert (found["sub"], found["client_id"]) == (client["id"], client["id"])
    assert found["scope"] == "audit:write authz:check"
    assert "acct" not in found


async def test_a_bound_client_is_told_nothing_of_other_accounts(identity: Identity) -> None:
    person = await member(identity)
    api_token = (await identity.make_token(person))["secret"]
    inside = await identity.make_client(account_ids=[person["account_id"]])
    outside, unbound = await identity.make_client(account_ids=[ONE]), await identity.make_client()
    nowhere = await identity.make_client(account_ids=[])
    tokens = (person["access_token"], api_token, await token_of(identity, inside))
    assert [(await told(identity, inside, token))["active"] for token in tokens] == [True] * 3
    for stranger in (outside, nowhere):
        assert [await told(identity, stranger, token) for token in tokens] == [INACTIVE] * 3
        assert (await told(identity, stranger, await token_of(identity, stranger)))["active"]
    assert await told(identity, inside, await token_of(identity, unbound)) == INACTIVE


async def test_what_is_not_a_live_token_is_inactive_and_nothing_else(identity: Identity) -> None:
    client, person = await identity.make_client(), await member(identity)
    forged = person["access_token"][:-4] + "AAAA"
    for token in (
        "x",
        "a.b.c",
        "rct_x",
        "rct_" + "a" * 36,
        forged,
        person["refresh_token"],
        "\u00e9",
    ):
        assert await told(identity, client, token) == INACTIVE, token
    expired = await token_of(identity, client)
    identity.clock.move(ACCESS_SECONDS + 11)
    assert await told(identity, client, expired) == INACTIVE


async def test_an_ended_session_and_a_revoked_token_are_inactive(identity: Identity) -> None:
    client, person = await identity.make_client(), await member(identity)
    made = await identity.make_token(person)
    place = f"/v1/accounts/{person['account_id']}/api-tokens/{made['id']}"
    await identity.send("DELETE", place, token=person["access_token"])
    assert await told(identity, client, made["secret"]) == INACTIVE
    assert (await told(identity, client, person["access_token"]))["active"]
    await identity.post("/v1/logout", token=person["access_token"])
    assert await told(identity, client, person["access_token"]) == INACTIVE


@pytest.mark.rule("T5")
async def test_tokens_of_a_removed_member_are_inactive_at_once(identity: Identity) -> None:
    client, person = await identity.make_client(), await member(identity)
    api_token = (await identity.make_token(person))["secret"]
    identity.stand_ins.members.clear()
    for token in (api_token, person["access_token"]):
        assert await told(identity, client, token) == INACTIVE


async def test_a_client_without_the_scope_is_refused(identity: Identity) -> None:
    client, person = await identity.make_client(scopes=["audit:write"]), await member(identity)
    answer = await asked(identity, client, person["access_token"])
    assert (answer.status, answer.body["error"]) == (400, "unauthorized_client")


async def test_a_request_without_a_client_or_a_token_is_refused(identity: Identity) -> None:
    client = await identity.make_client()
    for form, status, error in (
        ({"token": "x"}, 401, "invalid_client"),
        ({"token": "x", "client_id": client["id"]}, 401, "invalid_client"),
        ({"token": "x", "client_id": client["id"], "client_secret": "x"}, 401, "invalid_client"),
        ({"client_id": client["id"], "client_secret": client["secret"]}, 400, "invalid_request"),
    ):
        answer = await identity.post(PATH, form=form)
        assert (answer.status, answer.body["error"]) == (status, error), form
        assert set(answer.body) == {"error", "error_description"}
