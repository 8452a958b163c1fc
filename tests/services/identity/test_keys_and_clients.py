"""Can every verifier read our tokens, and do clients get exactly what they may?"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import jwt
import pytest

from services.identity.signing_keys import CannotUnseal, seal, unseal
from shared.auth.access_tokens import TokenVerifier
from shared.auth.jwt import BadToken
from shared.auth.key_sources import RemoteKeys
from shared.auth.keys import generate_key
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.contracts.calls import KEY_SET, KeySet
from shared.contracts.facts import shard_of
from shared.ids import AccountId, KeyId
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.identity.running import ADMIN_KEY, ISSUER, KEYS, Identity, running

SEALING = bytes(range(32))


def verifier_of(identity: Identity, path: str) -> TokenVerifier:
    """A verifier as another service has it: it knows the published keys and nothing else."""

    async def fetch() -> KeySet:
        if path == KEY_SET.path:
            return await identity.notification.call(KEY_SET, "identity")
        return KeySet.model_validate((await identity.send("GET", path)).body)

    keys = RemoteKeys(fetch, clock=identity.clock)
    return TokenVerifier(issuer=ISSUER, keys=keys, clock=identity.clock)


@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/internal/jwks"])
async def test_a_users_token_is_verified_from_the_published_keys(
    identity: Identity, path: str
) -> None:
    person = await identity.person("ana@example.com")
    principal = await verifier_of(identity, path).verify(person["access_token"])
    assert isinstance(principal, UserPrincipal)
    assert principal.user_id == person["user"]["id"]
    assert principal.account_id == person["account_id"]


async def test_an_access_token_says_who_and_nothing_that_can_change(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    claims = jwt.decode(person["access_token"], options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "sub", "jti", "iat", "exp", "sid", "acct"}
    assert claims["exp"] - claims["iat"] == person["expires_in"] == 300
    header = jwt.get_unverified_header(person["access_token"])
    assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
    identity.clock.move(311)
    late = await identity.send("GET", "/v1/me", token=person["access_token"])
    assert late.status == 401


async def test_a_refresh_token_is_no_access_token(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    answer = await identity.send("GET", "/v1/me", token=person["refresh_token"])
    assert answer.status == 401
    with pytest.raises(BadToken):
        await verifier_of(identity, "/internal/jwks").verify(person["refresh_token"])


async def test_discovery_tells_what_is_there(identity: Identity) -> None:
    found = (await identity.send("GET", "/.well-known/openid-configuration")).body
    assert found["issuer"] == ISSUER
    for name in ("jwks_uri", "token_endpoint"):
        path = found[name].removeprefix(ISSUER)
        method = "GET" if name == "jwks_uri" else "POST"
        assert (await identity.send(method, path)).status in {200, 400}


async def test_replicas_that_start_at_once_agree_on_one_first_key(
    mongo_url: str, database_name: str
) -> None:
    async def key_set() -> str:
        async with running(mongo_url, database_name) as identity:
            await asyncio.wait_for(started.wait(), 30)
            return (await identity.send("GET", "/.well-known/jwks.json")).text

    started = asyncio.Barrier(3)
    sets = await asyncio.gather(*(key_set() for _ in range(3)))
    assert len(set(sets)) == 1


async def test_another_sealing_key_does_not_start(mongo_url: str, database_name: str) -> None:
    async with running(mongo_url, database_name):
        pass
    at_once = replace(PATIENT, start=0.0)
    other = base64.urlsafe_b64encode(SEALING).rstrip(b"=").decode()
    with pytest.raises(CannotUnseal):
        async with running(mongo_url, database_name, timeouts=at_once, sealing_key=other):
            pass


def test_a_sealed_key_opens_under_its_own_id_and_key_only() -> None:
    kid, now = KeyId("key_a"), SetClock().now()
    key = generate_key()
    stored = seal(key, kid=kid, slot=1, sealing_key=SEALING, now=now)
    assert unseal(stored, SEALING).private_bytes_raw() == key.private_bytes_raw()
    assert key.private_bytes_raw() not in stored.sealed
    other = seal(generate_key(), kid=kid, slot=1, sealing_key=SEALING, now=now)
    for spoiled, sealing in (
        (stored, bytes(32)),
        (replace(stored, id=KeyId("key_b")), SEALING),
        (replace(stored, sealed=stored.sealed[:-1] + b"\0"), SEALING),
        (replace(stored, public=other.public), SEALING),
    ):
        with pytest.raises(CannotUnseal):
            unseal(spoiled, sealing)


async def test_a_client_gets_a_token_with_its_scopes_and_bounds(identity: Identity) -> None:
    account = "acc_" + "7" * 32
    client = await identity.make_client(
        scopes=["authz:check", "audit:write"], account_ids=[account], resource_types=["instance"]
    )
    answer = await identity.get_token(client, {"grant_type": "client_credentials"})
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body["scope"] == "audit:write authz:check"
    principal = await verifier_of(identity, "/internal/jwks").verify(answer.body["access_token"])
    assert isinstance(principal, ClientPrincipal)
    assert principal.client_id == client["id"]
    assert principal.scopes == {"authz:check", "audit:write"}
    assert principal.account_ids == frozenset({AccountId(account)})
    assert principal.resource_types == frozenset({"instance"})
    (row,) = await identity.rows("service_client.created")
    assert row.shard == shard_of(client["id"])
    assert [policy_object.rev for policy_object in row.policy_objects] == [row.seq]
    assert row.actor.type == "operator"


CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}


FORMS: list[tuple[dict[str, str], int, str]] = [
    ({"grant_type": "client_credentials"}, 200, "authz:check"),
    ({"grant_type": "client_credentials", "scope": "authz:check"}, 200, "authz:check"),
    ({"grant_type": "client_credentials", "scope": "audit:write"}, 400, "invalid_scope"),
    ({"grant_type": "client_credentials", "scope": ""}, 200, "authz:check"),
    ({**CLIENT_CREDENTIALS, "client_id": "", "client_secret": ""}, 200, "authz:check"),
    ({"grant_type": "client_credentials", "scope": "authz:check x"}, 400, "invalid_scope"),
    ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ({"grant_type": "client_credentials", "extra": "ignored"}, 200, "authz:check"),
    ({"scope": "authz:check"}, 400, "invalid_request"),
    ({"grant_type": ""}, 400, "invalid_request"),
    ({**CLIENT_CREDENTIALS, "client_secret": "rcs_x"}, 400, "invalid_request"),
    ({**CLIENT_CREDENTIALS, "client_id": "cli_" + "0" * 32}, 400, "invalid_request"),
]


async def test_the_token_endpoint_answers_as_the_rfc_says(identity: Identity) -> None:
    client = await identity.make_client()
    for form, status, outcome in FORMS:
        answer = await identity.get_token(client, form)
        assert answer.status == status, form
        assert answer.headers["Content-Type"].startswith("application/json")
        if status == 200:
            assert answer.body["scope"] == outcome
            assert answer.body["token_type"] == "Bearer"
        else:
            assert answer.body["error"] == outcome, form
            assert set(answer.body) == {"error", "error_description"}


async def test_a_client_that_is_not_known_is_refused_alike(identity: Identity) -> None:
    client = await identity.make_client()
    for spoiled in (
        {"secret": "rcs_wrong"},
        {"secret": ""},
        {"id": "cli_" + "0" * 32},
        {"id": "not an id"},
        {"id": '{"$ne": ""}'},
        {"id": ""},
    ):
        wrong = client | spoiled
        in_header = await identity.get_token(wrong, CLIENT_CREDENTIALS)
        assert in_header.headers["WWW-Authenticate"].startswith("Basic")
        pair = {"client_id": wrong["id"], "client_secret": wrong["secret"]}
        in_form = await identity.get_token(None, CLIENT_CREDENTIALS | pair)
        for answer in (in_header, in_form):
            assert (answer.status, answer.body["error"]) == (401, "invalid_client"), spoiled


async def test_a_client_may_send_its_secret_in_the_form(identity: Identity) -> None:
    client = await identity.make_client()
    pair = {"client_id": client["id"], "client_secret": client["secret"]}
    answer = await identity.get_token(None, CLIENT_CREDENTIALS | pair)
    assert answer.status == 200


async def test_a_header_that_is_no_basic_is_refused(identity: Identity) -> None:
    for header in ("Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "Basic w6kK"):
        answer = await identity.post(
            "/oauth2/token", form=CLIENT_CREDENTIALS, headers={"Authorization": header}
        )
        assert (answer.status, answer.body["error"]) == (401, "invalid_client"), header


async def test_a_form_with_a_member_twice_is_refused(identity: Identity) -> None:
    client = await identity.make_client()
    answer = await identity.get_token(client, "grant_type=client_credentials&grant_type=password")
    assert answer.status == 400


async def test_a_clients_token_opens_no_persons_route(identity: Identity) -> None:
    client = await identity.make_client()
    token = (await identity.get_token(client, CLIENT_CREDENTIALS)).body["access_token"]
    answer = await identity.send("GET", "/v1/me", token=token)
    assert (answer.status, answer.body["code"]) == (403, "wrong-principal")


async def test_only_the_operators_key_makes_clients(identity: Identity) -> None:
    body = {"name": "x", "scopes": ["authz:check"]}
    for key in (None, "wrong", ADMIN_KEY + "x", KEYS.private["identity"]):
        answer = await identity.post("/internal/admin/service-clients", body, token=key)
        assert answer.status == 401
    assert await identity.rows("service_client.created") == []


CLIENT_MISFITS: list[dict[str, object]] = [
    {"scopes": []},
    {"scopes": ["everything"]},
    {"scopes": "authz:check"},
    {"name": ""},
    {"account_ids": ["acc_1"]},
    {"resource_types": ["*"]},
    {"account_ids": ["acc_" + "7" * 32] * 101},
    {"resource_types": ["instance"] * 21},
    {"secret": "mine"},
]


async def test_the_token_of_a_client_with_the_most_bounds_is_not_too_large(
    identity: Identity,
) -> None:
    client = await identity.make_client(
        scopes=["authz:check", "audit:write", "usage:write", "members:provision"],
        account_ids=[f"acc_{number:032x}" for number in range(100)],
        resource_types=[f"t{number:063}" for number in range(20)],
    )
    answer = await identity.get_token(client, CLIENT_CREDENTIALS)
    principal = await verifier_of(identity, "/internal/jwks").verify(answer.body["access_token"])
    assert isinstance(principal, ClientPrincipal)
    assert len(principal.account_ids or ()) == 100


async def test_a_client_that_does_not_fit_is_not_made(identity: Identity) -> None:
    for change in CLIENT_MISFITS:
        body = {"name": "x", "scopes": ["authz:check"]} | change
        answer = await identity.post("/internal/admin/service-clients", body, token=ADMIN_KEY)
        assert answer.status == 422, change


async def test_the_admin_route_is_not_on_the_public_port(identity: Identity) -> None:
    async with identity.http.post(
        f"{identity.url}/internal/admin/service-clients",
        json={"name": "x", "scopes": ["authz:check"]},
        headers={"Authorization": f"Bearer {ADMIN_KEY}"},
    ) as answer:
        assert answer.status == 404
