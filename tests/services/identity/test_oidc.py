"""Tests of discovery and of the token endpoint for service clients."""

from __future__ import annotations

import json

import pytest

from rolecall.client.jwk import decode
from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import shard_of
from shared.ids import AccountId
from tests.services.identity.running import Identity
from tests.support.service import ISSUER

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


DOCUMENTS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
CACHED = (*DOCUMENTS, "/.well-known/jwks.json")
REQUIRED = {
    "issuer",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
}
"""What OpenID Connect Discovery 1.0, section 3, requires of a server without authorization."""
ADDRESSES = {"introspection_endpoint", "jwks_uri", "revocation_endpoint", "token_endpoint"}


@pytest.mark.rule("B1")
async def test_every_address_of_the_discovery_documents_answers(identity: Identity) -> None:
    for document in DOCUMENTS:
        found = (await identity.send("GET", document)).body
        named = {name for name in found if name.endswith(("_endpoint", "_uri"))}
        assert named == ADDRESSES
        for name in named:
            path = found[name].removeprefix(ISSUER)
            method = "GET" if name == "jwks_uri" else "POST"
            assert (await identity.send(method, path)).status in {200, 400}


async def test_both_discovery_documents_and_every_token_name_one_issuer(identity: Identity) -> None:
    openid, oauth = [(await identity.send("GET", path)).body for path in DOCUMENTS]
    assert openid.keys() >= REQUIRED
    assert oauth.items() <= openid.items()
    client, person = await identity.make_client(), await identity.person("ana@example.com")
    issued = await identity.get_token(client, CLIENT_CREDENTIALS)
    for token in (issued.body["access_token"], person["access_token"]):
        claims = json.loads(decode(token.split(".")[1]))
        assert claims["iss"] == openid["issuer"] == oauth["issuer"] == ISSUER


async def test_caches_keep_the_keys_for_a_minute_and_documents_for_five(
    identity: Identity,
) -> None:
    for path in CACHED:
        first = await identity.send("GET", path)
        seconds = 60 if "jwks" in path else 300
        assert first.headers["Cache-Control"] == f"public, max-age={seconds}"
        etag = first.headers["ETag"]
        for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            same = await identity.send("GET", path, headers={"If-None-Match": known})
            assert (same.status, same.text, same.headers["ETag"]) == (304, "", etag)
        other = await identity.send("GET", path, headers={"If-None-Match": '"x"'})
        assert (other.status, other.body) == (200, first.body)


async def test_a_token_of_a_client_has_its_scopes_and_bounds(identity: Identity) -> None:
    account = "acc_" + "7" * 32
    client = await identity.make_client(
        scopes=["authz:check", "audit:write"], account_ids=[account], resource_types=["instance"]
    )
    answer = await identity.get_token(client, {"grant_type": "client_credentials"})
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body["scope"] == "audit:write authz:check"
    principal = await identity.verifier().verify(answer.body["access_token"])
    assert isinstance(principal, ClientPrincipal)
    assert principal.client_id == client["id"]
    assert principal.scopes == {"authz:check", "audit:write"}
    assert principal.account_ids == frozenset({AccountId(account)})
    assert principal.resource_types == frozenset({"instance"})
    (row,) = await identity.rows("service_client.created")
    assert row.shard == shard_of(client["id"])
    assert [policy_object.rev for policy_object in row.policy_objects] == [row.seq]
    assert row.actor.type == "operator"


async def test_the_token_endpoint_answers_as_rfc_6749_says(identity: Identity) -> None:
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


async def test_an_unknown_client_is_refused_like_a_wrong_secret(identity: Identity) -> None:
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


async def test_a_header_that_is_not_http_basic_is_refused(identity: Identity) -> None:
    for header in ("Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "Basic w6kK"):
        answer = await identity.post(
            "/oauth2/token", form=CLIENT_CREDENTIALS, headers={"Authorization": header}
        )
        assert (answer.status, answer.body["error"]) == (401, "invalid_client"), header


async def test_a_form_with_a_repeated_parameter_is_refused(identity: Identity) -> None:
    client = await identity.make_client()
    answer = await identity.get_token(client, "grant_type=client_credentials&grant_type=password")
    assert answer.status == 400


async def test_the_token_of_a_client_is_refused_on_a_users_route(identity: Identity) -> None:
    client = await identity.make_client()
    token = (await identity.get_token(client, CLIENT_CREDENTIALS)).body["access_token"]
    answer = await identity.send("GET", "/v1/me", token=token)
    assert (answer.status, answer.body["code"]) == (403, "wrong-principal")
