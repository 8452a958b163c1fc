"""Token exchange (RFC 8693): a service client gets a token to act for a user, and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from rolecall.client.jwk import decode
from services.identity.domain.token_exchange import ACCESS_TOKEN_TYPE, EXCHANGE
from tests.services.identity.test_introspection import INACTIVE, ONE, member, token_of, told
from tests.services.identity.test_key_rotation import KEYS
from tests.services.identity.test_revocation import revoke
from tests.support.service import ADMIN_KEY

if TYPE_CHECKING:
    from tests.services.identity.running import Identity
    from tests.support.service import Answered

ACTS = ["authz:check", "users:act"]


async def exchange(identity: Identity, client: dict[str, str], token: str, **form: str) -> Answered:
    asked = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN_TYPE,
    }
    return await identity.get_token(client, asked | form)


async def exchanged(identity: Identity, client: dict[str, str], token: str) -> str:
    return str((await exchange(identity, client, token)).expect(200)["access_token"])


def claims_of(token: str) -> dict[str, Any]:
    return dict(json.loads(decode(token.split(".")[1])))


async def test_the_token_names_user_session_and_client(identity: Identity) -> None:
    client, person = await identity.make_client(scopes=ACTS), await member(identity)
    answer = (await exchange(identity, client, person["access_token"])).expect(200)
    subject, claims = claims_of(person["access_token"]), claims_of(answer["access_token"])
    assert answer["issued_token_type"] == ACCESS_TOKEN_TYPE
    assert (answer["scope"], answer["token_type"]) == ("users:act", "Bearer")
    assert {name: claims[name] for name in ("sub", "sid", "acct", "aud", "iss")} == {
        name: subject[name] for name in ("sub", "sid", "acct", "aud", "iss")
    }
    assert (claims["client_id"], claims["act"]) == (client["id"], {"sub": client["id"]})
    assert "auth_time" in subject
    assert "auth_time" not in claims
    assert claims["exp"] <= subject["exp"]
    identity.clock.move(300)
    later = (await exchange(identity, client, person["access_token"])).expect(200)
    assert claims_of(later["access_token"])["exp"] == subject["exp"]
    assert later["expires_in"] == answer["expires_in"] - 300


async def test_the_chain_is_kept_and_has_three_clients_at_most(identity: Identity) -> None:
    person = await member(identity)
    clients = [await identity.make_client(scopes=ACTS) for _ in range(4)]
    token = person["access_token"]
    for client in clients[:3]:
        token = await exchanged(identity, client, token)
        assert claims_of(await exchanged(identity, client, token))["act"] == claims_of(token)["act"]
    first, second, third = (client["id"] for client in clients[:3])
    chain = {"sub": third, "act": {"sub": second, "act": {"sub": first}}}
    assert claims_of(token)["act"] == chain
    assert claims_of(token)["exp"] <= claims_of(person["access_token"])["exp"]
    assert (await told(identity, clients[0], token))["act"] == chain
    refused = await exchange(identity, clients[3], token)
    assert (refused.status, refused.body["error"]) == (400, "invalid_request")


async def test_a_token_names_all_before_it_and_six_exchanges_at_most(identity: Identity) -> None:
    client, person = await identity.make_client(scopes=ACTS), await member(identity)
    token, before = person["access_token"], []
    for _ in range(6):
        kid = jwt.get_unverified_header(token)["kid"]
        before.append([claims_of(token)["jti"], kid])
        token = await exchanged(identity, client, token)
        assert claims_of(token)["made_of"] == before
    refused = await exchange(identity, client, token)
    assert (refused.status, refused.body["error"]) == (400, "invalid_request")


async def test_what_is_not_exchanged_is_said_in_the_form_of_the_rfc(identity: Identity) -> None:
    person = await member(identity)
    client, other = await identity.make_client(scopes=ACTS), await identity.make_client()
    own, api_token = await token_of(identity, client), await identity.make_token(person)
    user = person["access_token"]
    rows: list[tuple[dict[str, str], str, dict[str, str], str]] = [
        (other, user, {}, "unauthorized_client"),
        (client, "", {}, "invalid_request"),
        (client, "x.y.z", {}, "invalid_request"),
        (client, own, {}, "invalid_request"),
        (client, api_token["secret"], {}, "invalid_request"),
        (client, person["refresh_token"], {}, "invalid_request"),
        (client, user, {"subject_token_type": "jwt"}, "invalid_request"),
        (client, user, {"requested_token_type": "jwt"}, "invalid_request"),
        (client, user, {"actor_token": own}, "invalid_request"),
        (client, user, {"audience": "another"}, "invalid_target"),
        (client, user, {"resource": "https://other.example"}, "invalid_target"),
        (client, user, {"scope": "authz:check"}, "invalid_scope"),
    ]
    for asker, token, form, error in rows:
        refused = await exchange(identity, asker, token, **form)
        assert (refused.status, refused.body["error"]) == (400, error), (form, refused.text)
    wrong = client | {"secret": "rcs_wrong"}
    assert (await exchange(identity, wrong, user)).body["error"] == "invalid_client"


async def test_no_route_for_people_takes_the_token(identity: Identity) -> None:
    client, person = await identity.make_client(scopes=ACTS), await member(identity)
    token = await exchanged(identity, client, person["access_token"])
    path = f"/v1/accounts/{person['account_id']}/api-tokens"
    for method, place in (("GET", "/v1/me"), ("GET", path), ("POST", "/v1/logout")):
        refused = await identity.send(method, place, token=token)
        assert (refused.status, refused.body["code"]) == (403, "wrong-principal"), place


@pytest.mark.parametrize("end", ["session", "client", "scope", "token", "earlier token", "key"])
async def test_the_token_ends_with_session_client_and_each_token_before(
    identity: Identity, end: str
) -> None:
    asker, client = await identity.make_client(), await identity.make_client(scopes=ACTS)
    second = await identity.make_client(scopes=ACTS)
    await member(identity)
    identity.clock.move(400)
    person = (await identity.log_in("ana@example.com")).body
    identity.clock.move(250)  # the next key may sign, and the token is valid
    (await identity.post(f"{KEYS}/rotate", token=ADMIN_KEY)).expect(200)
    former = jwt.get_unverified_header(person["access_token"])["kid"]
    first = await exchanged(identity, client, person["access_token"])
    token = await exchanged(identity, second, first)
    assert (await told(identity, asker, token))["active"]
    if end == "session":
        await revoke(identity, person["access_token"])
    elif "token" in end:
        await revoke(identity, token if end == "token" else first)
    elif end == "scope":
        clients = identity.database["service_clients"]
        await clients.update_one({"_id": client["id"]}, {"$set": {"scopes": ["authz:check"]}})
    elif end == "key":
        (await identity.post(f"{KEYS}/revoke", {"kid": former}, token=ADMIN_KEY)).expect(200)
    else:
        await identity.post(
            f"/internal/admin/service-clients/{client['id']}/disable", token=ADMIN_KEY
        )
    assert await told(identity, asker, token) == INACTIVE
    refused = await identity.send("GET", "/v1/me", token=token)
    assert (refused.status, refused.body["code"]) == (401, "token-revoked")
    again = await exchange(identity, second, token)
    assert again.body["error"] == "invalid_request"
    if end != "key":  # of which the session is refreshed
        assert await identity.is_live(person) is (end != "session")


async def test_a_bound_client_takes_no_other_account_along(identity: Identity) -> None:
    person = await member(identity)
    client = await identity.make_client(scopes=ACTS, account_ids=[ONE])
    assert "acct" not in claims_of(await exchanged(identity, client, person["access_token"]))
