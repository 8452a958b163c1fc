"""A first second factor, taken back by the link in the mail that told of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.identity.domain.api_tokens import MAX_LIVE_TOKENS
from services.identity.domain.factor_take_back import TAKE_BACK_LIFETIME
from shared.contracts.calls.identity import FACTOR_LINK, FactorLinkRequest
from shared.problems import Refusal
from tests.services.identity import test_address_change as address
from tests.services.identity.running import Authenticator, Identity
from tests.support.service import Answered

EMAIL, NEW_PASSWORD = "ana@example.com", "quiet-otters-paint-maps"


async def mailed(identity: Identity, at: int = -1) -> str:
    """The token in the mail about a factor, the newest by default."""
    data = (await identity.rows("user.second_factor_added"))[at].data
    request = FactorLinkRequest(
        kind="factor-take-back", id=data["user_id"], generation=data["beginning"]
    )
    answer = await identity.notification.call(FACTOR_LINK, "identity", request)
    return answer.url.partition("/remove-factor?token=")[2]


async def take_back(identity: Identity, token: str) -> Answered:
    return await identity.post("/v1/mfa/take-back", {"token": token})


async def look(identity: Identity, token: str) -> Answered:
    return await identity.post("/v1/links/lookup", {"kind": "second-factor", "token": token})


async def locked_out(identity: Identity) -> tuple[dict[str, Any], Authenticator]:
    """A thief who knows the password has added an app: their session, and the app."""
    thief = await identity.person(EMAIL)
    app, _ = await identity.add_totp(thief["access_token"])
    return thief, app


@pytest.mark.rule("T5")
async def test_the_mailbox_takes_the_factor_of_a_thief_back(identity: Identity) -> None:
    thief, app = await locked_out(identity)
    made = await identity.make_token(thief)
    tokens = identity.database["api_tokens"]
    row = await tokens.find_one({"_id": made["id"]})
    assert row is not None
    copies = [row | {"_id": f"{made['id'][:-6]}{number:06x}"} for number in range(MAX_LIVE_TOKENS)]
    await tokens.insert_many(copies)
    linked = {"user_id": thief["user"]["id"], "issuer": "https://thief.example"}
    await identity.database["identities"].insert_one({"_id": "idn_1", **linked})
    token = await mailed(identity)
    assert (await look(identity, token)).body["email"] == EMAIL
    assert (await take_back(identity, token)).status == 204
    assert not await identity.is_live(thief)
    assert await identity.database["identities"].count_documents({}) == 0
    revoked = await identity.rows("api_token.revoked")
    assert {row.resource.id for row in revoked} == {made["id"], *(one["_id"] for one in copies)}
    assert {row.data["because"] for row in revoked} == {"factor-taken-back"}
    [removed] = await identity.rows("user.second_factor_removed")
    assert removed.data["taken_back"] is True
    identity.clock.move(90)
    assert (await identity.log_in(EMAIL, otp=app.code())).status == 401, "the thief knows it"
    await identity.forgot(EMAIL)
    reset = await identity.mailed_reset(EMAIL)
    assert (await identity.reset(reset, NEW_PASSWORD)).status == 204
    owner = (await identity.log_in(EMAIL, NEW_PASSWORD)).expect(200)
    assert (await look(identity, token)).body["status"] == "done"
    assert (await take_back(identity, token)).status == 204, "a second click finds it done"
    assert await identity.is_live(owner)
    assert (await identity.log_in(EMAIL, NEW_PASSWORD)).status == 200


@pytest.mark.rule("T5")
async def test_factors_that_the_thief_adds_to_the_first_one_go_with_it(identity: Identity) -> None:
    thief, _ = await locked_out(identity)
    await identity.add_totp(thief["access_token"])  # takes the place of the first
    first, second = await identity.rows("user.second_factor_added")
    assert (first.data["beginning"], second.data["beginning"]) == (1, None)
    assert (await take_back(identity, await mailed(identity, at=0))).status == 204
    assert len(await identity.rows("user.second_factor_removed")) == 1
    assert await identity.database["factors"].count_documents({"totp": None}) == 1


@pytest.mark.rule("T5")
async def test_the_link_of_a_former_factor_removes_no_later_one(identity: Identity) -> None:
    """Neither after the owner removed the factor, nor after the link has done its work."""
    thief, _ = await locked_out(identity)
    token = await mailed(identity)
    removed = await identity.send("DELETE", "/v1/me/mfa/totp", token=thief["access_token"])
    assert removed.status == 204
    assert (await take_back(identity, token)).status == 410, "there is no factor"
    await identity.add_totp(thief["access_token"])
    assert (await take_back(identity, token)).status == 410
    newer = await mailed(identity)
    assert (await take_back(identity, newer)).status == 204
    await identity.forgot(EMAIL)
    await identity.reset(await identity.mailed_reset(EMAIL), NEW_PASSWORD)
    owner = (await identity.log_in(EMAIL, NEW_PASSWORD)).expect(200)
    await identity.add_totp(owner["access_token"])
    for old in (token, newer):
        assert (await take_back(identity, old)).status == 410
        assert (await look(identity, old)).status == 410
    assert await identity.is_live(owner)


@pytest.mark.rule("T5")
async def test_a_link_in_a_mailbox_that_was_given_up_is_over(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    app, _ = await identity.add_totp(person["access_token"])
    token = await mailed(identity)
    identity.clock.move(90)
    await identity.step_up(person["access_token"], otp=app.code())
    await address.ask(identity, person)
    confirmed = await address.confirm(identity, person, await address.mailed(identity))
    assert confirmed.status == 200
    assert (await take_back(identity, token)).status == 410
    with pytest.raises(Refusal):
        await mailed(identity)


async def test_the_link_ends_after_two_weeks_and_is_not_forged(identity: Identity) -> None:
    await locked_out(identity)
    token = await mailed(identity)
    await identity.forgot(EMAIL)
    of_a_reset = await identity.mailed_reset(EMAIL)
    forged = [
        of_a_reset,
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.replace(".1.", ".2."),
        "x",
    ]
    for wrong in forged:
        assert (await take_back(identity, wrong)).status == 410
    identity.clock.move(TAKE_BACK_LIFETIME.total_seconds() - 1)
    assert (await look(identity, token)).body == {
        "status": "open",
        "email": EMAIL,
        "access": None,
    }
    identity.clock.move(1)
    assert (await take_back(identity, token)).status == 410
    assert (await identity.log_in(EMAIL)).body["code"] == "otp-required"


async def test_the_link_works_once_at_the_same_moment(identity: Identity) -> None:
    await locked_out(identity)
    token = await mailed(identity)
    answers = await asyncio.gather(*(take_back(identity, token) for _ in range(3)))
    assert [answer.status for answer in answers] == [204] * 3
    assert len(await identity.rows("user.second_factor_removed")) == 1
