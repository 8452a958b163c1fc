"""A reset of the password, and what opens the user's accounts besides it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from services.identity.domain.api_tokens import MAX_LIVE_TOKENS
from shared.ids import new_id
from tests.services.identity.signing_in import ANA, Browser, signing_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.services.identity.running import Identity

EMAIL, NEW_PASSWORD = "ana@example.com", "quiet-otters-paint-maps"
MANY = 120
"""More tokens than a write looks at."""
MONTH_SECONDS = 30 * 86_400

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_browser(mongo_url: str) -> AsyncIterator[Browser]:
    async with signing_in(mongo_url, new_id("test")) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def browser(shared_browser: Browser) -> Browser:
    identity = await shared_browser.identity.for_one_test()
    shared_browser.issuer.forget()
    shared_browser.issuer.person = dict(ANA)
    return Browser(identity, shared_browser.issuer)


async def reset(identity: Identity, **choice: str) -> dict[str, Any]:
    """Reset the password; what the fact tells, as the mail does."""
    await identity.forgot(EMAIL)
    token = await identity.mailed_reset(EMAIL)
    assert (await identity.reset(token, NEW_PASSWORD, **choice)).status == 204
    row = (await identity.rows("user.password_changed"))[-1]
    return dict(row.data)


async def works(identity: Identity, made: dict[str, Any], person: dict[str, Any]) -> bool:
    path = f"/v1/accounts/{person['account_id']}/api-tokens"
    return (await identity.send("GET", path, token=made["secret"])).status == 200


@pytest.mark.rule("T5")
@pytest.mark.parametrize(
    ("choice", "left"),
    [({}, ["Old"]), ({"end_access": "all"}, []), ({"end_access": "none"}, ["New", "Old"])],
)
async def test_a_reset_ends_api_tokens_and_linked_issuers_as_chosen(
    browser: Browser, choice: dict[str, str], left: list[str]
) -> None:
    identity = browser.identity
    person = await identity.person(EMAIL)
    tokens = {"Old": await identity.make_token(person, name="Old")}
    identity.clock.move(MONTH_SECONDS + 1)
    thief = (await identity.log_in(EMAIL)).expect(200) | {"account_id": person["account_id"]}
    tokens["New"] = await identity.make_token(thief, name="New")
    (await browser.link(thief["access_token"])).expect(200)
    told = await reset(identity, **choice)
    ended = sorted(tokens.keys() - {*left})
    assert [name for name in sorted(tokens) if await works(identity, tokens[name], person)] == left
    assert told["left"]["token_names"] == left
    assert told["ended"]["token_names"] == ended
    issuers = (told["ended"]["issuers"], told["left"]["issuers"])
    assert issuers == ((["Corp"], []) if "New" in ended else ([], ["Corp"]))
    owner = (await identity.log_in(EMAIL, NEW_PASSWORD)).expect(200)
    linked = await browser.identities(owner["access_token"])
    assert [one["label"] for one in linked] == issuers[1]
    revoked = await identity.rows("api_token.revoked")
    assert [row.data["because"] for row in revoked] == ["password-reset"] * len(ended)


async def test_the_link_of_a_reset_counts_what_can_end(browser: Browser) -> None:
    identity = browser.identity
    person = await identity.person(EMAIL)
    await identity.make_token(person)
    identity.clock.move(MONTH_SECONDS + 1)
    later = (await identity.log_in(EMAIL)).expect(200) | {"account_id": person["account_id"]}
    await identity.make_token(later)
    (await browser.link(later["access_token"])).expect(200)
    await identity.forgot(EMAIL)
    body = {"kind": "password-reset", "token": await identity.mailed_reset(EMAIL)}
    opened = await identity.post("/v1/links/lookup", body)
    assert opened.expect(200)["access"] == {
        "api_tokens": 2,
        "identities": 1,
        "recent_api_tokens": 1,
        "recent_identities": 1,
    }


async def test_a_user_who_sets_a_first_password_keeps_the_issuer(browser: Browser) -> None:
    identity = browser.identity
    await browser.sign_in()
    email = "ana@corp.example"
    await identity.forgot(email)
    token = await identity.mailed_reset(email)
    for _ in range(2):
        assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    assert (await browser.sign_in()).status == 200
    assert (await identity.log_in(email, NEW_PASSWORD)).status == 200
    assert await identity.rows("user.identity_unlinked") == []


async def test_a_repeat_that_asks_for_more_ends_more(browser: Browser) -> None:
    identity = browser.identity
    person = await identity.person(EMAIL)
    made = await identity.make_token(person)
    await identity.forgot(EMAIL)
    token = await identity.mailed_reset(EMAIL)
    for choice, live in (("none", True), ("none", True), ("all", False), ("all", False)):
        assert (await identity.reset(token, NEW_PASSWORD, end_access=choice)).status == 204
        assert await works(identity, made, person) is live, choice


async def test_very_many_tokens_end_before_the_password_changes(browser: Browser) -> None:
    identity = browser.identity
    person = await identity.person(EMAIL)
    made = await identity.make_token(person)
    (await browser.link(person["access_token"])).expect(200)
    stored = identity.database["api_tokens"]
    [row] = [row async for row in stored.find({"_id": made["id"]})]
    copies = [
        row | {"_id": f"{made['id'][:-6]}{number:06x}", "name": f"T{number:03}"}
        for number in range(2 * MAX_LIVE_TOKENS)
    ]
    await stored.insert_many(copies)
    told = await reset(identity, end_access="all")
    assert told["ended"]["api_tokens"] == 2 * MAX_LIVE_TOKENS + 1
    assert told["left"]["api_tokens"] == 0
    assert told["ended"]["issuers"] == ["Corp"]
    assert await stored.count_documents({"ended": False}) == 0
    assert len(await identity.rows("user.password_changed")) == 1


@pytest.mark.rule("T5")
async def test_older_tokens_do_not_hide_those_of_a_thief(browser: Browser) -> None:
    identity = browser.identity
    person = await identity.person(EMAIL)
    made = await identity.make_token(person, name="New")
    stored = identity.database["api_tokens"]
    [row] = [row async for row in stored.find({"_id": made["id"]})]
    older = {"created_at": row["created_at"] - timedelta(days=31), "name": "Old"}
    copies = [
        row
        | older
        | {"_id": f"{made['id'][:-6]}{number:06x}", "list_key": f"{number:015d}.{made['id']}"}
        for number in range(MANY)
    ]
    await stored.delete_one({"_id": row["_id"]})
    await stored.insert_many([*copies, row])
    await identity.forgot(EMAIL)
    token = await identity.mailed_reset(EMAIL)
    body = {"kind": "password-reset", "token": token}
    access = (await identity.post("/v1/links/lookup", body)).expect(200)["access"]
    assert (access["api_tokens"], access["recent_api_tokens"]) == (MANY + 1, 1)
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    told = (await identity.rows("user.password_changed"))[-1].data
    assert told["ended"]["token_names"] == ["New"]
    assert told["left"]["api_tokens"] == MANY
    assert not await works(identity, made, person)


async def test_what_is_left_names_the_second_factors(browser: Browser) -> None:
    identity = browser.identity
    person = await identity.person(EMAIL)
    await identity.add_totp(person["access_token"])
    assert (await reset(identity))["left"]["second_factors"] == ["totp"]


async def test_an_unknown_choice_is_refused(browser: Browser) -> None:
    identity = browser.identity
    await identity.person(EMAIL)
    await identity.forgot(EMAIL)
    token = await identity.mailed_reset(EMAIL)
    refused = await identity.reset(token, NEW_PASSWORD, end_access="some")
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/end_access")
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204
