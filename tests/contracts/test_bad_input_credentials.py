"""Every row that needs a credential refuses each one that is not valid."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from shared.http.access import (
    Client,
    Permission,
    PermissionOrClient,
    Session,
    SessionOrClient,
)
from shared.http.routes import Route
from shared.ids import new_id
from tests.contracts.asking import Asking, Case
from tests.contracts.forging import forged, read, sign
from tests.contracts.people import People
from tests.contracts.rows import (
    DECISIONS,
    ROWS,
    WITH_CREDENTIAL,
    body_of,
    content_type,
    encoded,
    harmless_path,
    request,
)
from tests.e2e.people import PASSWORD

UNAUTHENTICATED: Mapping[str, Any] = {"statuses": {401}, "code": "unauthenticated"}
INVALID: Mapping[str, Any] = {"statuses": {401}, "code": "token-invalid"}
EXPIRED: Mapping[str, Any] = {"statuses": {401}, "code": "token-expired"}
REVOKED: Mapping[str, Any] = {"statuses": {401}, "code": "token-revoked"}
WRONG_PRINCIPAL: Mapping[str, Any] = {"statuses": {403}, "code": "wrong-principal"}


def bearing(row: Route, people: People, name: str, *values: str, **expected: Any) -> Case:
    """A good request, but for its `Authorization`: one header for each value."""
    headers = (*content_type(row), *(("Authorization", value) for value in values))
    return request(
        row,
        people,
        name,
        body_of(row, people),
        path=harmless_path(row, people.team),
        token=None,
        headers=headers,
        **expected,
    )


def test_every_row_needs_a_credential_that_the_tables_below_know():
    assert {type(row.access) for row in WITH_CREDENTIAL} == {
        Session,
        Permission,
        SessionOrClient,
        Client,
        PermissionOrClient,
    }


async def test_a_token_signed_by_the_tests_is_accepted(asking: Asking, people: People):
    """The next test relies on it: its tokens are refused only for their one fault."""
    header, claims = read(people.team.owner.token or "")
    [row] = [row for row in ROWS if row.operation_id == "getMe"]
    token = f"Bearer {sign(header, claims)}"
    await asking.check([bearing(row, people, "signed here", token, statuses={200})])


async def test_forged_tokens_are_unauthenticated(asking: Asking, people: People):
    good = people.team.owner.token or ""
    tokens = forged(good, other_user=people.other.owner.user_id)
    await asking.check(
        bearing(
            row,
            people,
            name,
            f"Bearer {token}",
            **EXPIRED if name.startswith("expired") else INVALID,
        )
        for row in WITH_CREDENTIAL
        for name, token in tokens.items()
    )


async def test_other_texts_than_access_tokens_are_unauthenticated(asking: Asking, people: People):
    owner, deployment = people.team.owner, people.deployment
    good = owner.token or ""
    basic = base64.b64encode(f"{deployment.client_id}:{deployment.client_secret}".encode())
    spent = people.spent
    assert spent is not None
    other_schemes = {
        "nothing": "",
        "no scheme": good,
        "another scheme": f"Token {good}",
        "a tab": f"Bearer\t{good}",
        "the client's secret by Basic": f"Basic {basic.decode()}",
        "Basic nonsense": "Basic !!!",
    }
    headers = {
        "a scheme": "Bearer",
        "a scheme and a blank": "Bearer ",
        "a doubled scheme": f"Bearer Bearer {good}",
        "two tokens": f"Bearer {good} {good}",
        "two tokens and a comma": f"Bearer {good}, Bearer {good}",
        "quotes": f'Bearer "{good}"',
        "letters": "Bearer x",
        "dots": "Bearer ..",
        "accents": "Bearer é.è.ê",
        "a long token": f"Bearer {'x' * 9_000}",
        "a long token with dots": f"Bearer {'x' * 4_000}.{'x' * 4_000}.{'x' * 86}",
        "the client's secret": f"Bearer {deployment.client_secret}",
        "a refresh token": f"Bearer {owner.refresh_token}",
        "an invitation's token": f"Bearer {spent.token}",
        "an invitation's code": f"Bearer {spent.code}",
        "a verification's token": f"Bearer {owner.user_id}.1.x",
        "the password": f"Bearer {PASSWORD}",
        "an id": f"Bearer {owner.user_id}",
    }

    def cases() -> Iterator[Case]:
        for row in WITH_CREDENTIAL:
            yield bearing(row, people, "no header", **UNAUTHENTICATED)
            for name, value in other_schemes.items():
                yield bearing(row, people, name, value, **UNAUTHENTICATED)
            for name, value in headers.items():
                yield bearing(row, people, name, value, **INVALID)
            in_query = bearing(row, people, "in the query", **UNAUTHENTICATED)
            path = f"{in_query.path}?access_token={good}"
            yield request(
                row, people, "in the query", None, path=path, token=None, **UNAUTHENTICATED
            )

    await asking.check(cases())


async def test_two_credentials_are_unauthenticated(asking: Asking, people: People):
    good, other = f"Bearer {people.team.owner.token}", f"Bearer {people.stranger.token}"
    client = f"Bearer {people.platform.token}"
    pairs = {
        "good and garbage": (good, "Bearer x"),
        "garbage and good": ("Bearer x", good),
        "good and empty": (good, ""),
        "of two people": (good, other),
        "of a person and a client": (good, client),
        "of a client and a person": (client, good),
        "twice the same": (good, good),
    }
    await asking.check(
        bearing(row, people, name, *pair, **INVALID)
        for row in WITH_CREDENTIAL
        for name, pair in pairs.items()
    )


async def test_a_service_client_cannot_use_the_routes_of_users(asking: Asking, people: People):
    token = f"Bearer {people.platform.token}"
    await asking.check(
        bearing(row, people, "a client", token, **WRONG_PRINCIPAL)
        for row in WITH_CREDENTIAL
        if not isinstance(row.access, SessionOrClient | Client | PermissionOrClient)
    )


async def test_a_user_cannot_use_the_routes_of_service_clients(asking: Asking, people: People):
    token = f"Bearer {people.team.owner.token}"
    await asking.check(
        bearing(row, people, "a user", token, **WRONG_PRINCIPAL)
        for row in WITH_CREDENTIAL
        if isinstance(row.access, Client)
    )


async def test_a_user_can_check_only_their_own_permissions(asking: Asking, people: People):
    rows = [
        row for row in DECISIONS if not row.operation_id.startswith(("evaluateEach", "explain"))
    ]
    await asking.check(
        bearing(row, people, one.name, f"Bearer {one.token}", statuses={403}, code="other-subject")
        for row in rows
        for one in (people.stranger, people.other.owner, people.plain, people.removed)
    )


async def test_an_ended_session_opens_no_row(asking: Asking, people: People):
    leaver = people.leaver
    await leaver.log_in()
    (await leaver.send("POST", "/v1/logout")).expect(204)
    token = f"Bearer {leaver.token}"
    await asking.check(
        bearing(row, people, "ended", token, **REVOKED)
        for row in WITH_CREDENTIAL
        if row.operation_id != "logOut"
    )
    old = {"refresh_token": leaver.refresh_token}
    refused = await leaver.send("POST", "/v1/token/refresh", old)
    assert (refused.status, refused.code) == (401, "refresh-token-invalid")
    about_me = {
        "subject": {"type": "user", "id": leaver.user_id},
        "action": {"name": "view"},
        "resource": {"type": "account", "id": leaver.account_id},
    }
    assert (await leaver.send("POST", "/access/v1/evaluation", about_me)).status == 401


async def test_wrong_passwords_links_and_refresh_tokens_open_nothing(
    asking: Asking, people: People
):
    owner, spent = people.team.owner, people.spent
    assert spent is not None
    nearly = owner.refresh_token[:-1] + ("A" if owner.refresh_token[-1] != "A" else "B")
    no_tokens = (
        "x",
        "..",
        owner.token,
        people.platform.token,
        nearly,
        nearly.replace("ses_", "usr_"),
        nearly.replace("ses_", "inv_"),
        f"{new_id('ses')}.1.{'A' * 43}",
        f"{new_id('usr')}.1.{'A' * 43}",
        f"{new_id('sup')}.1.{'A' * 43}",
        f"{people.team.ids['invitation_id']}.1.{'A' * 43}",
        f"{people.team.ids['invitation_id']}.{'9' * 80}.{'A' * 43}",
        spent.token,
        PASSWORD,
    )
    log_ins = (
        (owner.email, "not the password", 401, "wrong-credentials"),
        (owner.email, PASSWORD.upper(), 401, "wrong-credentials"),
        (owner.email, f"{PASSWORD} ", 401, "wrong-credentials"),
        ("absent@example.com", PASSWORD, 401, "wrong-credentials"),
        (people.unverified, "not the password", 401, "wrong-credentials"),
        (people.unverified, PASSWORD, 401, "wrong-credentials"),
    )
    beside = {
        "verifyEmail": {"password": PASSWORD},
        "resetPassword": {"password": PASSWORD},
        "lookUpLink": {"kind": "verification"},
    }
    refused = {
        "verifyEmail": (410, "link-invalid"),
        "resetPassword": (410, "link-invalid"),
        "refreshToken": (401, "refresh-token-invalid"),
        "lookUpLink": (410, "link-invalid"),
        "lookUpInvitation": (410, "invitation-not-valid"),
        "acceptInvitation": (410, "invitation-not-valid"),
        "declineInvitation": (410, "invitation-not-valid"),
    }

    def cases() -> Iterator[Case]:
        for row in ROWS:
            if row.operation_id == "logIn":
                for email, password, status, code in log_ins:
                    body = encoded(row, {"email": email, "password": password})
                    yield request(row, people, email, body, statuses={status}, code=code)
            if row.operation_id in refused:
                status, code = refused[row.operation_id]
                for token in no_tokens:
                    sent = {"token": (token or "")[:200], "code": spent.code}
                    if row.operation_id == "refreshToken":
                        sent = {"refresh_token": (token or "")[:512]}
                    elif row.operation_id == "resetPassword":
                        sent.pop("code")
                    sent |= beside.get(row.operation_id, {})
                    yield request(
                        row, people, str(sent), encoded(row, sent), statuses={status}, code=code
                    )

    await asking.check(cases())


async def test_a_service_client_that_proves_nothing_gets_no_token(asking: Asking, people: People):
    [row] = [row for row in ROWS if row.operation_id == "getToken"]
    client_id, secret = people.deployment.client_id, people.deployment.client_secret
    grant = {"grant_type": "client_credentials"}
    proof = {"client_id": client_id, "client_secret": secret}

    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    forms: tuple[tuple[str, dict[str, str], tuple[str, ...], str], ...] = (
        ("nothing", grant, (), "invalid_client"),
        ("no secret", grant | {"client_id": client_id}, (), "invalid_client"),
        ("another secret", grant | proof | {"client_secret": "x"}, (), "invalid_client"),
        ("an empty secret", grant | proof | {"client_secret": ""}, (), "invalid_client"),
        ("another client", grant | proof | {"client_id": new_id("cli")}, (), "invalid_client"),
        ("an operator", grant | proof | {"client_id": '{"$gt": ""}'}, (), "invalid_client"),
        ("a user", grant | proof | {"client_id": people.plain.user_id}, (), "invalid_client"),
        ("no grant", proof, (), "invalid_request"),
        ("a password", proof | {"grant_type": "password"}, (), "unsupported_grant_type"),
        ("a scope too many", grant | proof | {"scope": "authz:check x"}, (), "invalid_scope"),
        ("two places", grant | proof, (basic(f"{client_id}:{secret}"),), "invalid_request"),
        ("Basic without a colon", grant, (basic(client_id),), "invalid_client"),
        ("Basic nonsense", grant, ("Basic é",), "invalid_client"),
        ("a wrong Basic", grant, (basic(f"{client_id}:x"),), "invalid_client"),
        ("a bearer", grant, (f"Bearer {people.platform.token}",), "invalid_client"),
    )
    await asking.check(
        request(
            row,
            people,
            name,
            encoded(row, form),
            headers=(*content_type(row), *(("Authorization", value) for value in headers)),
            statuses={401} if error == "invalid_client" else {400},
            code=error,
        )
        for name, form, headers, error in forms
    )
