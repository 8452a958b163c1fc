"""Tests that input stays text and never becomes a database operator (T21)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from services.identity.routes import ROUTES
from shared.http.access import Client
from shared.http.routes import Media
from shared.ids import new_id
from tests.services.identity.running import PASSWORD, Identity

SSO_ANSWER = {"binding": "x", "state": "x", "code": "x", "redirect_uri": "x", "iss": "x"}
CREDENTIAL = {"id": "x", "rawId": "x", "type": "public-key"}
SIGNED = CREDENTIAL | {
    "response": {
        "clientDataJSON": "x",
        "authenticatorData": "x",
        "signature": "x",
        "userHandle": "x",
    }
}
MADE = CREDENTIAL | {"response": {"clientDataJSON": "x", "attestationObject": "x"}}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/signup": {"email": "ana@example.com", "name": "Ana"},
    "/v1/email/verify": {
        "token": "sup_x",
        "code": "AAAAAAAA",
        "name": "Ana",
        "password": PASSWORD,
    },
    "/v1/email/resend": {"email": "ana@example.com"},
    "/v1/login": {"email": "ana@example.com", "password": PASSWORD, "otp": "123456"},
    "/v1/me/step-up": {"password": PASSWORD, "otp": "123456"},
    "/v1/me/mfa/totp/confirm": {"otp": "123456"},
    "/v1/login/passkey/finish": {"challenge": "x", "credential": SIGNED},
    "/v1/me/passkeys": {"challenge": "x", "credential": MADE, "name": "Phone"},
    "/v1/me/passkeys/{passkey_id}": {"name": "Phone"},
    "/v1/password/forgot": {"email": "ana@example.com"},
    "/v1/password/reset": {"token": "usr_x", "password": PASSWORD},
    "/v1/me/password": {"current": PASSWORD, "new": PASSWORD},
    "/v1/me/email": {"email": "ana@new.example", "password": PASSWORD},
    "/v1/me/email/confirm": {"token": "usr_x"},
    "/v1/email/undo": {"token": "usr_x"},
    "/v1/mfa/take-back": {"token": "usr_x"},
    "/v1/links/lookup": {"kind": "verification", "token": "sup_x", "code": "AAAAAAAA"},
    "/v1/me/email/lookup": {"token": "adr_x"},
    "/v1/token/refresh": {"refresh_token": "ses_x"},
    "/v1/session/switch": {"account_id": "acc_" + "7" * 32},
    "/v1/me": {"name": "Ana"},
    "/v1/login/oidc/begin": {"connection": "corp", "email": "ana@example.com", "redirect": "x"},
    "/v1/login/oidc/finish": SSO_ANSWER | {"otp": "123456"},
    "/v1/login/oidc/continue": {"continuation": "x", "otp": "123456"},
    "/v1/me/identity-links": {"connection": "corp", "redirect": "x"},
    "/v1/me/identities": SSO_ANSWER,
    "/v1/accounts/{account_id}/sso-connections/{connection_id}": {"join_role": "developer"},
    "/v1/accounts/{account_id}/sso-connections": {
        "label": "Acme",
        "issuer": "https://issuer.example",
        "client_id": "rolecall",
        "client_secret": "x",
        "domain": "acme.example",
    },
    "/v1/accounts/{account_id}/api-tokens": {
        "name": "CI",
        "expires_at": "2999-01-01T00:00:00Z",
        "restriction": {"projects": ["prj_x"], "grants": {"instance": ["view"]}},
    },
}
INVITED = {"name": "Bo", "password": PASSWORD, "invitation": {"token": "t", "code": "c"}}
FIELDS: list[tuple[str, tuple[str, ...]]] = [
    (path, (field,)) for path, body in BODIES.items() for field in body if field != "restriction"
]
FIELDS += [("/v1/signup", ("invitation", field)) for field in ("token", "code")]
FIELDS += [("/v1/signup", ("password",))]
FIELDS += [
    ("/v1/accounts/{account_id}/api-tokens", ("restriction", field))
    for field in ("projects", "grants", "read_only")
]
FIELDS += [("/v1/me/passkeys", ("credential", field)) for field in MADE]
FIELDS += [
    ("/v1/login/passkey/finish", ("credential", "response", field))
    for field in ("clientDataJSON", "authenticatorData", "signature", "userHandle")
]
PATCHED = {
    "/v1/me",
    "/v1/me/passkeys/{passkey_id}",
    "/v1/accounts/{account_id}/sso-connections/{connection_id}",
}
VALUES = [
    {"$ne": ""},
    {"$gt": ""},
    {"$where": "1"},
    {"a.b": 1},
    ["ana@example.com"],
    [],
    {},
    1,
    True,
    "a\0b",
]


def test_every_body_of_a_public_route_is_in_the_table() -> None:
    taking = {
        route.path
        for route in ROUTES
        if route.takes and route.media is Media.JSON and not isinstance(route.access, Client)
    }
    assert taking == set(BODIES)


@pytest.mark.rule("T21")
async def test_a_value_that_is_not_text_is_refused_in_every_field(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    account_id = person["account_id"]
    identity.stand_ins.members.add((person["user"]["id"], account_id))
    for (path, field), value in itertools.product(FIELDS, VALUES):
        method = "PATCH" if path in PATCHED else "POST"
        body = json.loads(json.dumps(INVITED if field[0] == "invitation" else BODIES[path]))
        place = body
        for step in field[:-1]:
            place = place[step]
        place[field[-1]] = value
        sent_to = path.format(
            account_id=account_id, passkey_id=new_id("pky"), connection_id=new_id("sso")
        )
        answer = await identity.send(method, sent_to, body, token=person["access_token"])
        assert answer.status in {400, 422}, (path, field, value, answer.text)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.body["code"] in {"invalid", "malformed-json"}


@pytest.mark.rule("T21")
async def test_an_operator_in_a_text_stays_text(identity: Identity) -> None:
    await identity.person("ana@example.com")
    for text in ("$ne", '{"$gt": ""}', ".*", "ana@example.com' || '1'=='1", "a.b"):
        assert (await identity.log_in(text)).status == 401
        assert (await identity.log_in("ana@example.com", text)).status == 401
        assert (await identity.post("/v1/token/refresh", {"refresh_token": text})).status == 401
        assert (await identity.verify({"token": text})).status == 410
        assert (await identity.reset(text, PASSWORD)).status == 410
