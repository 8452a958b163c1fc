"""Tests of the erasure of a user by themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.erasure import FAREWELL_LIFETIME, nameless_caller
from services.identity.domain.mfa import SecondFactors
from services.identity.store import Store
from shared.contracts.calls.identity import (
    FAREWELL,
    FAREWELL_SENT,
    FarewellAnswer,
    FarewellRequest,
)
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.contracts.policy_objects import PolicyObjectKind
from shared.problems import Refusal, RefusalKind
from tests.services.identity.faults import Fault
from tests.services.identity.running import Identity, running
from tests.services.identity.test_provisioning import ana, platform
from tests.support.service import ADMIN_KEY

if TYPE_CHECKING:
    from shared.mongo import DbSession
    from tests.support.service import Answered

EMAIL = "ana@example.com"
EMPTIED = ("factors", "addresses", "identities", "external_ids", "api_tokens")
STEPS = (
    "active_sessions",
    "tokens_of",
    "delete_token",
    "erase_user",
    "delete_identities_of",
    "delete_factors",
    "delete_external_ids_of",
    "insert_farewell",
)
"""What the last write of an erasure does, in its order."""


async def erase(identity: Identity, person: dict[str, Any], confirm: str = EMAIL) -> Answered:
    path = f"/v1/me?confirm={confirm}"
    return await identity.send("DELETE", path, token=person["access_token"])


@pytest.mark.rule("T5")
async def test_an_erased_user_leaves_no_way_in_and_no_name(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    client = await platform(identity)
    await client.provision(ana(email=EMAIL))
    other = (await identity.log_in(EMAIL)).body
    made = await identity.make_token(person)
    await identity.add_totp(person["access_token"])

    assert (await erase(identity, person, "ANA@Example.com")).status == 204

    assert not await identity.is_live(person)
    assert not await identity.is_live(other)
    assert (await identity.log_in(EMAIL)).status == 401
    user_id = person["user"]["id"]
    assert identity.stand_ins.released == [user_id]
    for name in EMPTIED:
        assert await identity.database[name].count_documents({}) == 0, name
    [tombstone] = [row async for row in identity.database["users"].find({})]
    assert (tombstone["_id"], tombstone["verified"]) == (user_id, False)
    [erased] = await identity.rows("user.erased")
    [thing, factor] = erased.policy_objects
    assert (factor.kind, factor.state) == (PolicyObjectKind.SECOND_FACTOR, None)
    assert (thing.kind, thing.id) == (PolicyObjectKind.DISABLED_USER, user_id)
    assert thing.state is not None
    [revoked] = await identity.rows("api_token.revoked")
    assert (revoked.resource.id, revoked.policy_objects[0].state) == (made["id"], None)
    ends = [row for row in await identity.rows() if row.change_id == erased.change_id]
    assert max(ends, key=lambda row: row.part).action == "user.erased"
    told = json.dumps(
        [tombstone["name"], tombstone["email"], *(one.to_event().decode() for one in ends)]
    )
    assert EMAIL not in told
    assert '"Ana"' not in told


@pytest.mark.rule("T5")
def test_the_record_of_an_erasure_has_no_name() -> None:
    actor = Actor(type="user", id="usr_1", name="Ana", email=EMAIL)
    named = Caller(actor=actor, request=RequestInfo(request_id="req_1"))
    assert nameless_caller(named).actor == Actor(type="user", id="usr_1")


async def farewell(identity: Identity, user_id: str) -> FarewellAnswer | None:
    """What identity tells notification, which sends the last mail."""
    request = FarewellRequest(kind="farewell", id=user_id)
    try:
        return await identity.notification.call(FAREWELL, "identity", request)
    except Refusal as refusal:
        if refusal.kind is not RefusalKind.GONE:
            raise
        return None


async def places_of(identity: Identity, text: str) -> set[str]:
    """The collections in which the text stands."""
    names = await identity.database.list_collection_names()
    rows = {name: [one async for one in identity.database[name].find({})] for name in names}
    return {name for name, found in rows.items() if text in str(found)}


async def test_name_and_address_wait_for_the_last_mail_alone(identity: Identity) -> None:
    """Besides, a used sign-up is kept for a minute, and the journal for some days."""
    person = await identity.person(EMAIL)
    user_id = person["user"]["id"]
    assert await farewell(identity, user_id) is None
    assert (await erase(identity, person)).status == 204
    assert await places_of(identity, EMAIL) == {"farewells", "journal", "sign_ups"}
    told = await farewell(identity, user_id)
    assert told is not None
    assert (told.email, told.name) == (EMAIL, "Ana")
    done = FarewellRequest(kind="farewell", id=user_id)
    for _ in range(2):
        await identity.notification.call(FAREWELL_SENT, "identity", done)
        assert await farewell(identity, user_id) is None
        assert await identity.database["farewells"].count_documents({}) == 0


async def test_a_last_mail_that_cannot_be_sent_is_given_up(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    assert (await erase(identity, person)).status == 204
    identity.clock.move(FAREWELL_LIFETIME.total_seconds() - 1)
    assert await farewell(identity, person["user"]["id"]) is not None
    identity.clock.move(1)
    assert await farewell(identity, person["user"]["id"]) is None


async def test_the_address_of_an_erased_user_is_free_at_once(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    assert (await erase(identity, person)).status == 204
    again = await identity.person(EMAIL, name="Other")
    assert again["user"]["id"] != person["user"]["id"]


async def test_an_owner_of_accounts_with_others_is_told_which(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    identity.stand_ins.owned = ["Acme", "Engines"]
    answer = await erase(identity, person)
    assert (answer.status, answer.body["code"]) == (409, "owns-teams")
    assert answer.body["accounts"] == ["Acme", "Engines"]
    assert await identity.is_live(person)


@pytest.mark.parametrize("confirm", ["", "bo@example.com", "Ana"])
async def test_an_erasure_is_confirmed_by_the_own_address(identity: Identity, confirm: str) -> None:
    person = await identity.person(EMAIL)
    answer = await erase(identity, person, confirm)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/query/confirm")
    assert identity.stand_ins.released == []


@pytest.mark.rule("T5")
async def test_an_erasure_needs_a_fresh_proof(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    identity.clock.move(301)
    body = {"refresh_token": person["refresh_token"]}
    renewed = (await identity.post("/v1/token/refresh", body)).body
    answer = await erase(identity, renewed)
    assert (answer.status, answer.body["code"]) == (401, "step-up-required")
    assert identity.stand_ins.released == []


async def test_nothing_is_erased_while_team_is_away(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    identity.stand_ins.team_away = True
    assert (await erase(identity, person)).status == 503
    assert await identity.is_live(person)


async def test_an_app_that_is_begun_meanwhile_leaves_nothing(
    mongo_url: str, database_name: str
) -> None:
    """Another replica has read the user, and is about to save the secret."""
    erased: list[int] = []

    class ErasedMeanwhile(Store):
        async def update_factors(
            self, before: SecondFactors, after: SecondFactors, session: DbSession, *, rev: int
        ) -> None:
            erased.append((await erase(identity, person)).status)
            await super().update_factors(before, after, session, rev=rev)

    async with running(mongo_url, database_name) as identity:
        person = await identity.person(EMAIL)
        wiring = {"store": ErasedMeanwhile}
        async with running(
            mongo_url, database_name, wiring=wiring, clock=identity.clock
        ) as replica:
            token = person["access_token"]
            begun = await replica.post("/v1/me/mfa/totp", token=token)
        assert (erased, begun.status, begun.body["code"]) == ([204], 401, "token-revoked")
        assert await identity.database["factors"].count_documents({}) == 0


@pytest.mark.rule("B8")
async def test_nothing_is_erased_before_the_release_is_in_force(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    identity.stand_ins.release_in_force = False
    assert (await erase(identity, person)).status == 503
    assert await identity.is_live(person)
    assert await identity.rows("user.erased") == []


async def test_an_erasure_that_stops_at_any_step_is_repeated(
    mongo_url: str, database_name: str
) -> None:
    store, faults = Store, {}
    for step in STEPS:
        faults[step] = Fault(RuntimeError(step))
        store = faults[step].planted_in(store, step)
    async with running(mongo_url, database_name, wiring={"store": store}) as identity:
        for number, (step, fault) in enumerate(faults.items()):
            email = f"ana{number}@example.com"
            person = await identity.person(email)
            await identity.make_token(person)
            fault.on = True
            assert (await erase(identity, person, email)).status == 500, step
            fault.on = False
            assert await identity.is_live(person), step
            signed_in = (await identity.log_in(email)).expect(200)
            assert (await erase(identity, signed_in, email)).status == 204, step
            assert not await identity.is_live(person), step
            assert await identity.database["addresses"].count_documents({}) == 0, step


@pytest.mark.rule("T5")
async def test_an_operator_erases_a_user_and_tells_it_again(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    user_id = person["user"]["id"]
    path = f"/internal/admin/users/{user_id}/erase"
    identity.stand_ins.owned = ["Acme"]
    refused = await identity.post(path, token=ADMIN_KEY)
    assert (refused.status, refused.body["code"]) == (409, "owns-teams")
    identity.stand_ins.owned = []
    for _ in range(2):
        assert (await identity.post(path, token=ADMIN_KEY)).status == 204
    assert not await identity.is_live(person)
    assert (await identity.log_in(EMAIL)).status == 401
    erased = await identity.rows("user.erased")
    assert [row.actor.type for row in erased] == ["operator"] * 2
    assert EMAIL not in "".join(row.to_event().decode() for row in erased)
    assert await identity.database["farewells"].count_documents({}) == 1
