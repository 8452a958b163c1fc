"""What needs a fresh proof of the caller, and how each person gives one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.routes import ROUTES
from shared.http.access import needs_fresh_proof
from tests.services.identity.ceremonies import add, new_passkey
from tests.services.identity.running import PASSWORD, Identity

if TYPE_CHECKING:
    from tests.support.service import Answered

EMAIL, NEW = "ana@example.com", "ana@new.example"
STALE = (401, "step-up-required")


def told(answer: Answered) -> tuple[int, str | None]:
    """The status of an answer, and the code of its problem."""
    return answer.status, (answer.body or {}).get("code")


async def later(identity: Identity, person: dict[str, Any]) -> str:
    """The access token of a session whose last proof has just become too old."""
    identity.clock.move(301)
    body = {"refresh_token": person["refresh_token"]}
    return str((await identity.post("/v1/token/refresh", body)).expect(200)["access_token"])


async def change(identity: Identity, token: str, **proof: str) -> tuple[int, str | None]:
    return told(await identity.post("/v1/me/email", {"email": NEW, **proof}, token=token))


async def export(identity: Identity, token: str) -> Answered:
    return await identity.send("GET", "/v1/me/export", token=token)


def test_the_ways_to_sign_in_change_after_a_fresh_proof_alone() -> None:
    """A link is finished with the sealed binding that its beginning, which is listed, has given."""
    assert {row.operation_id for row in ROUTES if needs_fresh_proof(row.access)} == {
        "addPasskey",
        "beginIdentityLink",
        "beginPasskey",
        "beginTotp",
        "changeAccountConnection",
        "createAccountConnection",
        "deleteAccountConnection",
        "deleteMe",
        "proveConnectionDomain",
        "removePasskey",
        "removeTotp",
        "replaceRecoveryCodes",
        "unlinkIdentity",
    }


@pytest.mark.rule("T5")
async def test_the_password_alone_changes_no_address_beside_a_factor(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    app, _ = await identity.add_totp(person["access_token"])
    stale = await later(identity, person)
    assert await change(identity, stale, password=PASSWORD) == STALE
    assert await identity.rows("user.email_change_requested") == []
    fresh = (await identity.step_up(stale, otp=app.next_code())).expect(200)["access_token"]
    assert await change(identity, stale, password=PASSWORD) == STALE  # a thief may have the token
    assert await change(identity, fresh) == (202, None)


async def test_a_user_without_a_factor_proves_by_password_or_sign_in(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    assert await change(identity, person["access_token"]) == (202, None)
    stale = await later(identity, person)
    assert await change(identity, stale) == STALE
    assert await change(identity, stale, password=PASSWORD) == (202, None)


async def test_a_user_without_password_or_factor_signs_in_again(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    users = identity.database["users"]
    await users.update_one({"email": EMAIL}, {"$set": {"password_hash": None}})
    assert await change(identity, person["access_token"]) == (202, None)
    stale = await later(identity, person)
    assert await change(identity, stale) == STALE
    for proof in ({}, {"password": PASSWORD}, {"otp": "123456"}):
        assert told(await identity.step_up(stale, **proof)) == (409, "sign-in-again")


@pytest.mark.rule("T5")
async def test_an_export_beside_a_factor_needs_a_fresh_proof(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    stale = await later(identity, person)
    (await export(identity, stale)).expect(200)
    fresh = (await identity.step_up(stale, password=PASSWORD)).expect(200)["access_token"]
    app, codes = await identity.add_totp(fresh)
    assert told(await export(identity, stale)) == STALE
    passkey = new_passkey()
    (await add(identity, fresh, passkey)).expect(200)
    shown = (await export(identity, fresh)).expect(200)
    assert shown["authenticator_app_added_at"] is not None
    assert [one["name"] for one in shown["passkeys"]] == ["Phone"]
    text = json.dumps(shown)
    [stored] = [row async for row in identity.database["factors"].find({})]
    [kept] = stored["passkeys"]
    for secret in (app.secret, *codes, kept["credential"], kept["public_key"].hex()):
        assert secret not in text
    assert told(await export(identity, await later(identity, person))) == STALE
