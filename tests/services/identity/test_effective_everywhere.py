"""Each use case of identity acknowledges its change as the row in ROUTES says (`B8`)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.routes import INTERNAL_ROUTES, ROUTES
from shared.journal import Journal
from shared.leases import Leases, Receipt
from tests.services.identity import test_address_change as address
from tests.services.identity import test_factor_take_back as factor
from tests.services.identity.ceremonies import (
    begun,
    finish,
    new_passkey,
    signed,
    with_passkey,
)
from tests.services.identity.running import PASSWORD, Identity
from tests.services.identity.signing_in import Browser, signing_in
from tests.services.identity.test_provisioning import ana, platform
from tests.support.service import ADMIN_KEY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from shared.http.routes import Route

ADDRESS = "ana@example.com"
NEW_PASSWORD = "quiet-otters-paint-maps"


async def sign_up(identity: Identity) -> Callable[[], Awaitable[Any]]:
    return lambda: identity.sign_up(ADDRESS)


async def verify(identity: Identity) -> Callable[[], Awaitable[Any]]:
    await identity.sign_up(ADDRESS)
    [link] = await identity.mailed_links(ADDRESS)
    return lambda: identity.verify(link)


async def resend(identity: Identity) -> Callable[[], Awaitable[Any]]:
    await identity.sign_up(ADDRESS)
    identity.clock.move(3600)
    return lambda: identity.post("/v1/email/resend", {"email": ADDRESS})


async def log_in(identity: Identity) -> Callable[[], Awaitable[Any]]:
    await identity.person(ADDRESS)
    return lambda: identity.log_in(ADDRESS)


async def forgot(identity: Identity) -> Callable[[], Awaitable[Any]]:
    await identity.person(ADDRESS)
    return lambda: identity.forgot(ADDRESS)


async def reset(identity: Identity) -> Callable[[], Awaitable[Any]]:
    await identity.person(ADDRESS)
    await identity.forgot(ADDRESS)
    token = await identity.mailed_reset(ADDRESS)
    return lambda: identity.reset(token, NEW_PASSWORD)


async def change_password(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    return lambda: identity.change_password(token, PASSWORD, NEW_PASSWORD)


async def use_a_refresh_token_again(identity: Identity) -> Callable[[], Awaitable[Any]]:
    body = {"refresh_token": (await identity.person(ADDRESS))["refresh_token"]}
    renewed = await identity.post("/v1/token/refresh", body)
    await identity.post("/v1/token/refresh", {"refresh_token": renewed.body["refresh_token"]})
    identity.clock.move(3600)
    return lambda: identity.post("/v1/token/refresh", body)


async def log_out(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    return lambda: identity.post("/v1/logout", token=token)


async def end_my_session(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    other = (await identity.log_in(ADDRESS)).body["refresh_token"]
    session_id = other.partition(".")[0]
    return lambda: identity.send("DELETE", f"/v1/me/sessions/{session_id}", token=token)


async def end_my_sessions(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    await identity.log_in(ADDRESS)
    return lambda: identity.send("DELETE", "/v1/me/sessions?current=true", token=token)


async def delete_me(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    return lambda: identity.send("DELETE", f"/v1/me?confirm={ADDRESS}", token=token)


async def change_email(identity: Identity) -> Callable[[], Awaitable[Any]]:
    person = await identity.person(ADDRESS)
    return lambda: address.ask(identity, person)


async def confirm_email(identity: Identity) -> Callable[[], Awaitable[Any]]:
    person = await identity.person(ADDRESS)
    await address.ask(identity, person)
    token = await address.mailed(identity)
    return lambda: address.confirm(identity, person, token)


async def undo_email(identity: Identity) -> Callable[[], Awaitable[Any]]:
    await address.changed(identity)
    token = await address.mailed(identity, "address-undo")
    return lambda: address.undo(identity, token)


async def take_factor_back(identity: Identity) -> Callable[[], Awaitable[Any]]:
    await factor.locked_out(identity)
    token = await factor.mailed(identity)
    return lambda: factor.take_back(identity, token)


async def rename(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    return lambda: identity.send("PATCH", "/v1/me", {"name": "Other"}, token=token)


async def confirm_totp(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    app = await identity.begin_totp(token)
    return lambda: identity.confirm_totp(token, app.code())


async def remove_totp(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    await identity.add_totp(token)
    return lambda: identity.send("DELETE", "/v1/me/mfa/totp", token=token)


async def sign_in_with_passkey(identity: Identity) -> Callable[[], Awaitable[Any]]:
    _, passkey, _ = await with_passkey(identity)
    proof = await signed(identity, passkey)
    return lambda: identity.post("/v1/login/passkey/finish", proof)


async def add_passkey(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    options = await begun(identity, "/v1/me/passkey-challenges", token)
    return lambda: finish(identity, token, options, new_passkey())


async def remove_passkey(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token, _, added = await with_passkey(identity)
    path = f"/v1/me/passkeys/{added['id']}"
    return lambda: identity.send("DELETE", path, token=token)


async def replace_codes(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["access_token"]
    await identity.add_totp(token)
    return lambda: identity.post("/v1/me/mfa/recovery-codes", token=token)


async def provision(identity: Identity) -> Callable[[], Awaitable[Any]]:
    client = await platform(identity)
    return lambda: client.provision(ana())


async def make_client(identity: Identity) -> Callable[[], Awaitable[Any]]:
    path, body = "/internal/admin/service-clients", {"name": "billing", "scopes": ["authz:check"]}
    return lambda: identity.post(path, body, token=ADMIN_KEY)


async def create_token(identity: Identity) -> Callable[[], Awaitable[Any]]:
    person = await identity.person(ADDRESS)
    identity.stand_ins.members.add((person["user"]["id"], person["account_id"]))
    path = f"/v1/accounts/{person['account_id']}/api-tokens"
    return lambda: identity.post(path, {"name": "CI"}, token=person["access_token"])


async def revoke_token(identity: Identity) -> Callable[[], Awaitable[Any]]:
    person = await identity.person(ADDRESS)
    made = await identity.make_token(person)
    path = f"/v1/accounts/{person['account_id']}/api-tokens/{made['id']}"
    return lambda: identity.send("DELETE", path, token=person["access_token"])


async def revoke_my_token(identity: Identity) -> Callable[[], Awaitable[Any]]:
    person = await identity.person(ADDRESS)
    path = f"/v1/me/api-tokens/{(await identity.make_token(person))['id']}"
    return lambda: identity.send("DELETE", path, token=person["access_token"])


async def present_a_token(identity: Identity) -> Callable[[], Awaitable[Any]]:
    token = (await identity.person(ADDRESS))["refresh_token"]
    return lambda: identity.post("/oauth2/revoke", form={"token": token})


def of_client(method: str, path: str, body: Any = None) -> Any:
    async def prepare(identity: Identity) -> Callable[[], Awaitable[Any]]:
        client = await identity.make_client()
        place = f"/internal/admin/service-clients/{client['id']}"
        if path == "/enable":
            await identity.post(f"{place}/disable", token=ADMIN_KEY)
        if path == "/old-secret":
            kept = {"keep_old_seconds": 60}
            await identity.post(f"{place}/secret", kept, token=ADMIN_KEY)
        return lambda: identity.send(method, place + path, body, token=ADMIN_KEY)

    return prepare


def of_user(action: str, body: Any = None) -> Any:
    async def prepare(identity: Identity) -> Callable[[], Awaitable[Any]]:
        user_id = (await identity.person(ADDRESS))["user"]["id"]
        place = f"/internal/admin/users/{user_id}"
        if action == "enable":
            await identity.post(f"{place}/disable", {"reason": "A test."}, token=ADMIN_KEY)
        return lambda: identity.post(f"{place}/{action}", body, token=ADMIN_KEY)

    return prepare


async def reset_mfa(identity: Identity) -> Callable[[], Awaitable[Any]]:
    person = await identity.person(ADDRESS)
    await identity.add_totp(person["access_token"])
    path = f"/internal/admin/users/{person['user']['id']}/reset-mfa"
    return lambda: identity.post(path, token=ADMIN_KEY)


async def rotate_keys(identity: Identity) -> Callable[[], Awaitable[Any]]:
    identity.clock.move(601)
    return lambda: identity.post("/internal/admin/signing-keys/rotate", token=ADMIN_KEY)


async def revoke_keys(identity: Identity) -> Callable[[], Awaitable[Any]]:
    return lambda: identity.post("/internal/admin/signing-keys/revoke", {}, token=ADMIN_KEY)


PREPARED = {
    "resetSecondFactors": reset_mfa,
    "rotateClientSecret": of_client("POST", "/secret", {"keep_old_seconds": 60}),
    "endOldClientSecret": of_client("DELETE", "/old-secret"),
    "disableServiceClient": of_client("POST", "/disable"),
    "enableServiceClient": of_client("POST", "/enable"),
    "deleteServiceClient": of_client("DELETE", ""),
    "disableUser": of_user("disable", {"reason": "A test."}),
    "enableUser": of_user("enable"),
    "unlockUser": of_user("unlock"),
    "eraseUser": of_user("erase"),
    "createApiToken": create_token,
    "revokeApiToken": revoke_token,
    "revokeMyApiToken": revoke_my_token,
    "signUp": sign_up,
    "verifyEmail": verify,
    "resendVerification": resend,
    "logIn": log_in,
    "forgotPassword": forgot,
    "resetPassword": reset,
    "changePassword": change_password,
    "confirmTotp": confirm_totp,
    "finishPasskeySignIn": sign_in_with_passkey,
    "addPasskey": add_passkey,
    "removePasskey": remove_passkey,
    "removeTotp": remove_totp,
    "replaceRecoveryCodes": replace_codes,
    "refreshToken": use_a_refresh_token_again,
    "logOut": log_out,
    "endMySession": end_my_session,
    "endMySessions": end_my_sessions,
    "deleteMe": delete_me,
    "changeEmail": change_email,
    "confirmEmail": confirm_email,
    "undoEmailChange": undo_email,
    "takeFactorBack": take_factor_back,
    "updateMe": rename,
    "provisionUsers": provision,
    "revokeToken": present_a_token,
    "createServiceClient": make_client,
    "rotateSigningKeys": rotate_keys,
    "revokeSigningKeys": revoke_keys,
}
"""Per operation, what prepares it and returns the request that changes something."""


async def sign_in(browser: Browser) -> Callable[[], Awaitable[Any]]:
    answer = await browser.answer()
    return lambda: browser.finish(answer)


async def go_on(browser: Browser) -> Callable[[], Awaitable[Any]]:
    token = (await browser.identity.person(ADDRESS))["access_token"]
    (await browser.link(token)).expect(200)
    _, codes = await browser.identity.add_totp(token)
    continuation = (await browser.sign_in()).body["continuation"]
    body = {"continuation": continuation, "otp": codes[0]}
    return lambda: browser.identity.post("/v1/login/oidc/continue", body)


async def link(browser: Browser) -> Callable[[], Awaitable[Any]]:
    token = (await browser.identity.person(ADDRESS))["access_token"]
    return lambda: browser.link(token)


async def unlink(browser: Browser) -> Callable[[], Awaitable[Any]]:
    token = (await browser.identity.person(ADDRESS))["access_token"]
    await browser.link(token)
    [linked] = await browser.identities(token)
    return lambda: browser.unlink(token, linked["id"])


def connections(person: dict[str, Any]) -> str:
    return f"/v1/accounts/{person['account_id']}/sso-connections"


async def connect(browser: Browser) -> Callable[[], Awaitable[Any]]:
    identity = browser.identity
    person = await identity.person(ADDRESS)
    identity.stand_ins.members.add((person["user"]["id"], person["account_id"]))
    fields = {"label": "Acme", "client_id": "x", "domain": "acme.example"}
    body = {"issuer": browser.issuer.url} | fields
    return lambda: identity.post(connections(person), body, token=person["access_token"])


async def of_connection(
    browser: Browser, method: str, path: str, body: Any = None
) -> Callable[[], Awaitable[Any]]:
    made = (await (await connect(browser))()).expect(201)
    browser.published.add(made["txt_value"])
    person = (await browser.identity.log_in(ADDRESS)).expect(200)
    at, token = f"{connections(person)}/{made['id']}{path}", person["access_token"]
    return lambda: browser.identity.send(method, at, body, token=token)


WITH_ISSUER: Mapping[str, Callable[[Browser], Awaitable[Callable[[], Awaitable[Any]]]]] = {
    "finishSsoSignIn": sign_in,
    "continueSsoSignIn": go_on,
    "linkIdentity": link,
    "unlinkIdentity": unlink,
    "createAccountConnection": connect,
    "proveConnectionDomain": partial(of_connection, method="POST", path="/prove-domain"),
    "changeAccountConnection": partial(
        of_connection, method="PATCH", path="", body={"label": "Other"}
    ),
    "deleteAccountConnection": partial(of_connection, method="DELETE", path=""),
}
"""The same where an issuer signs people in."""
RECORDS_NOTHING = {
    "beginSsoSignIn",
    "beginIdentityLink",
    "findUser",
    "getToken",
    "introspectToken",
    "lookUpLink",
    "lookUpNewEmail",
    "switchAccount",
    "stepUp",
    "beginTotp",
    "beginPasskeySignIn",
    "beginPasskey",
    "renamePasskey",
    "makeVerificationLink",
    "makeSignUpLink",
    "makePasswordResetLink",
    "makeAddressLink",
    "makeFactorLink",
    "readFarewell",
    "forgetFarewell",
    "readNamedUsers",
    "reportTokenUses",
}
REFUSED_UNTIL_IN_FORCE = {"refreshToken", "revokeToken"}
"""What these answer is true everywhere, or it is a refusal; others say 202 until then."""
CHANGES = [
    route
    for route in (*ROUTES, *INTERNAL_ROUTES)
    if route.method != "GET" and route.operation_id not in RECORDS_NOTHING
]


@pytest.mark.rule("B8")
@pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.operation_id)
async def test_the_use_case_acknowledges_as_its_row_says(
    mongo_url: str, database_name: str, route: Route
) -> None:
    written: list[bool] = []

    class RecordingJournal(Journal):
        async def write(self, *args: Any, effective_everywhere: bool, **options: Any) -> Any:
            result = await super().write(
                *args, effective_everywhere=effective_everywhere, **options
            )
            if result.revision is not None:
                written.append(effective_everywhere)
            return result

    class LateLeases(Leases):
        in_force = True

        async def barrier(self, *given: Any, **named: Any) -> Receipt:
            receipt = await super().barrier(*given, **named)
            return receipt if type(self).in_force else replace(receipt, effective_at=None)

    wiring = {"journal": RecordingJournal, "leases": LateLeases}
    async with signing_in(mongo_url, database_name, wiring=wiring) as browser:
        prepare = WITH_ISSUER.get(route.operation_id)
        if prepare is None:
            request = await PREPARED[route.operation_id](browser.identity)
        else:
            request = await prepare(browser)
        written.clear()
        LateLeases.in_force = False
        answer = await request()
    assert set(written) == {route.effective_everywhere}
    if route.effective_everywhere:
        late = 503 if route.operation_id in REFUSED_UNTIL_IN_FORCE else 202
        assert answer.status == late, answer.text
