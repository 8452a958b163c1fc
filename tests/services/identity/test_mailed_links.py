"""A look at a mailed link before it is used: what it shows, to whom, and no change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.address_change import CHANGE_LIFETIME, UNDO_LIFETIME
from services.identity.domain.mailed_links import REPEAT_WINDOW
from services.identity.domain.password_reset import RESET_LIFETIME
from services.identity.domain.sign_up import SIGN_UP_LIFETIME
from tests.services.identity.running import Identity
from tests.services.identity.test_address_change import (
    EMAIL,
    NEW,
    NEW_PASSWORD,
    OTHER,
    ask,
    changed,
    confirm,
    mailed,
    undo,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.service import Answered

KINDS = ("verification", "password-reset", "new-address", "former-address")
FORGED = f"usr_{0:032x}.1.{'A' * 43}"


async def look(identity: Identity, kind: str, token: str, **more: str) -> Answered:
    return await identity.post("/v1/links/lookup", {"kind": kind, "token": token, **more})


async def look_as(identity: Identity, person: dict[str, Any], token: str) -> Answered:
    body = {"token": token}
    return await identity.post("/v1/me/email/lookup", body, token=person["access_token"])


async def sign_up_link(identity: Identity) -> str:
    await identity.sign_up(EMAIL)
    return str((await identity.mailed_links(EMAIL))[-1]["token"])


async def reset_link(identity: Identity) -> str:
    await identity.person(EMAIL)
    await identity.forgot(EMAIL)
    return await identity.mailed_reset(EMAIL)


async def new_address_link(identity: Identity) -> str:
    await ask(identity, await identity.person(EMAIL))
    return await mailed(identity)


async def former_address_link(identity: Identity) -> str:
    await changed(identity)
    return await mailed(identity, "address-undo")


NO_ACCESS = {
    "api_tokens": 0,
    "identities": 0,
    "recent_api_tokens": 0,
    "recent_identities": 0,
}
LINKS: dict[str, tuple[Callable[[Identity], Awaitable[str]], str | None, float]] = {
    "verification": (sign_up_link, EMAIL, SIGN_UP_LIFETIME.total_seconds()),
    "password-reset": (reset_link, EMAIL, RESET_LIFETIME.total_seconds()),
    "new-address": (new_address_link, None, CHANGE_LIFETIME.total_seconds()),
    "former-address": (former_address_link, EMAIL, UNDO_LIFETIME.total_seconds()),
}
"""How each kind is mailed, the address that it shows, and how long it lives."""


@pytest.mark.rule("T9")
@pytest.mark.parametrize("kind", LINKS)
async def test_a_link_shows_its_address_and_one_that_is_over_nothing(
    identity: Identity, kind: str
) -> None:
    mail, email, seconds = LINKS[kind]
    token = await mail(identity)
    before = len(await identity.rows())
    for _ in range(2):
        opened = await look(identity, kind, token)
        access = NO_ACCESS if kind == "password-reset" else None
        expected = {"status": "open", "email": email, "access": access}
        assert (opened.status, opened.body) == (200, expected)
    assert len(await identity.rows()) == before
    others = [await look(identity, other, token) for other in KINDS if other != kind]
    forged = await look(identity, kind, FORGED)
    identity.clock.move(seconds)
    over = await look(identity, kind, token)
    for refused in (*others, over):
        assert (refused.status, refused.code) == (410, "link-invalid")
        assert told(refused) == told(forged)


def told(answer: Answered) -> tuple[dict[str, Any], list[str]]:
    """What an answer says, apart from the id of its request."""
    body = {name: text for name, text in answer.body.items() if name != "request_id"}
    return body, sorted(answer.headers)


async def test_a_link_with_a_wrong_code_shows_nothing(identity: Identity) -> None:
    await identity.sign_up(EMAIL)
    link = (await identity.mailed_links(EMAIL))[-1]
    assert (await look(identity, "verification", link["token"], code=link["code"])).status == 200
    assert (await look(identity, "verification", link["token"], code="A" * 8)).status == 410


async def test_a_link_says_that_it_has_done_its_work(identity: Identity) -> None:
    await identity.sign_up(EMAIL)
    link = (await identity.mailed_links(EMAIL))[-1]
    person = (await identity.verify(link)).body
    done = {"status": "done", "email": EMAIL, "access": None}
    assert (await look(identity, "verification", link["token"])).body == done
    await identity.forgot(EMAIL)
    reset = await identity.mailed_reset(EMAIL)
    assert (await identity.reset(reset, NEW_PASSWORD)).status == 204
    assert (await look(identity, "password-reset", reset)).body == done
    person = (await identity.log_in(EMAIL, NEW_PASSWORD)).body
    await ask(identity, person, password=NEW_PASSWORD)
    proof = await mailed(identity)
    opened = await look_as(identity, person, proof)
    assert opened.body == {"status": "open", "email": NEW}
    assert (await confirm(identity, person, proof)).status == 200
    assert (await look_as(identity, person, proof)).body == {"status": "done", "email": NEW}
    back = await mailed(identity, "address-undo")
    assert (await undo(identity, back)).status == 204
    assert (await look(identity, "former-address", back)).body == done
    identity.clock.move(REPEAT_WINDOW.total_seconds() + 1)
    for kind, token in (("verification", link["token"]), ("password-reset", reset)):
        assert (await look(identity, kind, token)).status == 410


@pytest.mark.rule("T9")
async def test_an_old_link_does_not_show_the_address_of_today(identity: Identity) -> None:
    """The mailbox of a former address may have another owner by now."""
    person = await identity.person(EMAIL)
    await identity.forgot(EMAIL)
    reset = await identity.mailed_reset(EMAIL)
    await ask(identity, person)
    assert (await confirm(identity, person, await mailed(identity))).status == 200
    refused = await look(identity, "password-reset", reset)
    assert refused.status == 410
    assert NEW not in str(refused.body)
    assert (
        await look(identity, "former-address", await mailed(identity, "address-undo"))
    ).body == {"status": "open", "email": EMAIL, "access": None}


@pytest.mark.rule("T9", "T11")
async def test_a_link_to_a_new_address_is_shown_to_its_user_alone(identity: Identity) -> None:
    person, other = await identity.person(EMAIL), await identity.person(OTHER)
    await ask(identity, person)
    token = await mailed(identity)
    assert (await look_as(identity, person, token)).status == 200
    for refused in (await look_as(identity, other, token), await look_as(identity, person, FORGED)):
        assert (refused.status, refused.code) == (410, "link-invalid")
    await identity.person(NEW)
    assert (await look_as(identity, person, token)).status == 410, "it has a user by now"


async def test_a_link_to_an_address_that_has_a_user_by_now_is_over(identity: Identity) -> None:
    await identity.sign_up(NEW)
    sign_up = (await identity.mailed_links(NEW))[-1]["token"]
    assert (await look(identity, "verification", sign_up)).status == 200
    await changed(identity)
    assert (await look(identity, "verification", sign_up)).status == 410
    back = await mailed(identity, "address-undo")
    await identity.person(EMAIL, name="Another Ana")
    assert (await look(identity, "former-address", back)).status == 410
