"""Tests of the change of a database whose sign-ups had passwords."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.migrations import migrations
from shared.clock import SystemClock
from shared.links import Link, Links
from shared.migrations import migrate
from shared.mongo import connect
from shared.runtime.settings import secret_bytes
from tests.patience import PATIENT
from tests.services.identity.running import PASSWORD, SECRETS, Identity, running
from tests.support.journal_keys import signer
from tests.support.service import FAR

STEPS = migrations(signer("identity"))

SQUATTERS_PASSWORD = "quiet-otters-paint-maps"
SQUATTER, OWNER = "usr_" + "1" * 32, "usr_" + "2" * 32


async def old_user(user_id: str, email: str, password: str, *, verified: bool) -> dict[str, Any]:
    """A document as the earlier version wrote it."""
    hasher = Argon2Hasher()
    password_hash = await hasher.hash(password)
    hasher.close()
    return {
        "_id": user_id,
        "email": email,
        "email_key": email,
        "name": "Ana",
        "password_hash": password_hash,
        "account_id": "acc_" + user_id[4:],
        "created_at": FAR,
        "generation": 1,
        "verified_at": FAR if verified else None,
        "verified": verified,
        "lapses_at": None if verified else FAR + timedelta(days=7),
    }


async def nothing_opens(identity: Identity, email: str) -> None:
    """Try everything that the earlier form of sign-up gave the person who chose the password."""
    link = Links(secret_bytes(SECRETS["link_key"]), "verification").token(Link(SQUATTER, 1))
    assert (await identity.log_in(email, SQUATTERS_PASSWORD)).status == 401
    for body in ({"token": link}, {"token": link, "password": SQUATTERS_PASSWORD}):
        assert (await identity.post("/v1/email/verify", body)).status in {410, 422}
    assert (await identity.verify({"token": link})).status == 410
    assert (await identity.reset(link, PASSWORD)).status == 410
    await identity.forgot(email)
    await identity.post("/v1/email/resend", {"email": email})
    assert await identity.rows("user.password_reset_requested", "sign_up.requested") == []


@pytest.mark.parametrize("written", ["before the change", "by an earlier version that still runs"])
async def test_an_unverified_user_of_the_earlier_form_cannot_sign_in(
    mongo_url: str, database_name: str, written: str
) -> None:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database = client[database_name]
    squatter = await old_user(SQUATTER, "bo@example.com", SQUATTERS_PASSWORD, verified=False)
    owner = await old_user(OWNER, "ana@example.com", PASSWORD, verified=True)
    steps = STEPS[:7] if written == "before the change" else STEPS
    await migrate(database, steps, clock=SystemClock())
    await database["users"].insert_many([squatter, owner])
    async with running(mongo_url, database_name) as identity:
        kept = {document["_id"] async for document in database["users"].find({})}
        assert kept == ({OWNER} if written == "before the change" else {OWNER, SQUATTER})
        await nothing_opens(identity, "bo@example.com")
        session = await identity.person("bo@example.com")
        assert session["user"]["id"] != SQUATTER
        assert (await identity.log_in("bo@example.com", SQUATTERS_PASSWORD)).status == 401
    client.close()


async def test_a_user_of_the_earlier_form_keeps_the_sign_in(
    mongo_url: str, database_name: str
) -> None:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database = client[database_name]
    await migrate(database, STEPS[:7], clock=SystemClock())
    owner = await old_user(OWNER, "ana@example.com", PASSWORD, verified=True)
    await database["users"].insert_one(owner)
    async with running(mongo_url, database_name) as identity:
        session = (await identity.log_in("ana@example.com")).expect(200)
        assert session["user"]["id"] == OWNER
        await identity.forgot("ana@example.com")
        token = await identity.mailed_reset("ana@example.com")
        assert (await identity.reset(token, SQUATTERS_PASSWORD)).status == 204
        assert (await identity.log_in("ana@example.com", SQUATTERS_PASSWORD)).status == 200
    client.close()
