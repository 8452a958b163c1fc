"""Tests of the budgets of mails that strangers can have sent to one mailbox (T9, T14)."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from services.identity.domain.mail_budgets import WINDOWS, MailKind, mail_budget
from services.identity.domain.rate_limits import RateLimit
from services.identity.store import Store
from shared.metrics import REGISTRY
from tests.services.identity.running import PASSWORD, running

if TYPE_CHECKING:
    from tests.services.identity.running import Identity
    from tests.support.service import Answered

STRANGERS = [{"X-Forwarded-For": f"198.51.100.{number}"} for number in range(1, 10)]
NEW_PASSWORD = "another-horse-battery"
SIGN_UP_SECONDS = WINDOWS[MailKind.SIGN_UP].total_seconds()
RESET_SECONDS = WINDOWS[MailKind.PASSWORD_RESET].total_seconds()


async def mails_to(identity: Identity, email: str) -> int:
    """The facts that have a mail sent to the address."""
    facts = ("sign_up.requested", "user.sign_up_refused", "user.password_reset_requested")
    rows = [row for fact in facts for row in await identity.rows(fact)]
    return sum(row.data["email"] == email for row in rows)


async def counts(identity: Identity, kind: MailKind) -> int:
    """The mails that are counted for Ana's mailbox."""
    _, mailbox = mail_budget(kind, "ana@example.com", "", per_mailbox=5)
    found = await identity.database["counters"].find_one({"_id": mailbox.counter_id})
    return 0 if found is None else int(found["count"])


def withheld(reason: str) -> float:
    """The sign-up mails that a budget has held back in this process."""
    labels = {"service": "identity", "kind": "sign-up", "reason": reason}
    return REGISTRY.get_sample_value("rolecall_mails_withheld_total", labels) or 0


def shown(answer: Answered) -> tuple[object, ...]:
    """What an answer shows of itself, without what differs between any two.

    `RateLimit` counts every request of the sender for a mail.
    """
    own = {"date", "x-request-id", "rolecall-request-id", "traceparent", "ratelimit"}
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return answer.status, answer.text, {n: v for n, v in headers.items() if n not in own}


@pytest.mark.rule("T14")
async def test_five_sign_ups_from_elsewhere_do_not_block_a_sign_up(identity: Identity) -> None:
    for _ in range(5):
        answer = await identity.sign_up("ana@example.com", name="Eve", headers=STRANGERS[0])
        assert answer.status == 202
    assert await mails_to(identity, "ana@example.com") == 3
    assert (await identity.sign_up("ana@example.com")).status == 202
    assert await mails_to(identity, "ana@example.com") == 4
    [*_, link] = await identity.mailed_links("ana@example.com")
    assert (await identity.verify(link)).status == 200


@pytest.mark.rule("T14")
async def test_sign_ups_from_elsewhere_take_nothing_from_a_reset(identity: Identity) -> None:
    await identity.person("ana@example.com")
    for stranger in STRANGERS:
        for _ in range(3):
            await identity.sign_up("ana@example.com", headers=stranger)
    before = await mails_to(identity, "ana@example.com")
    assert before == 5
    assert (await identity.forgot("ana@example.com")).status == 202
    assert await mails_to(identity, "ana@example.com") == before + 1
    token = await identity.mailed_reset("ana@example.com")
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204


@pytest.mark.rule("T14")
async def test_a_used_up_budget_leaves_a_link_that_works(identity: Identity) -> None:
    """At every moment of the window, and in the next one there is a mail again."""
    await identity.person("ana@example.com")
    await identity.forgot("ana@example.com")
    identity.clock.move(14 * 60)
    for stranger in STRANGERS:
        body = {"email": "ana@example.com"}
        await identity.post("/v1/password/forgot", body, headers=stranger)
    assert len(await identity.rows("user.password_reset_requested")) == 5
    token = await identity.mailed_reset("ana@example.com")
    identity.clock.move(RESET_SECONDS - 14 * 60 - 1)
    assert (await identity.forgot("ana@example.com")).status == 202
    assert len(await identity.rows("user.password_reset_requested")) == 5
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    identity.clock.move(2)
    await identity.forgot("ana@example.com")
    assert len(await identity.rows("user.password_reset_requested")) == 6


@pytest.mark.rule("T14")
async def test_aliases_of_one_mailbox_share_its_budget(identity: Identity) -> None:
    for number in range(43):
        answer = await identity.sign_up(
            f"j.ane+{number}@gmail.com", headers=STRANGERS[number % len(STRANGERS)]
        )
        assert answer.status == 202
    assert len(await identity.rows("sign_up.requested")) == 5
    await identity.sign_up("bo@gmail.com")
    assert len(await identity.rows("sign_up.requested")) == 6


@pytest.mark.rule("T9")
@pytest.mark.rule("T14")
async def test_beyond_its_budget_the_answer_is_as_always(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, mails_per_address=2) as identity:
        await identity.person("known@example.com")
        for path, fields in (
            ("/v1/signup", {"name": "Ana"}),
            ("/v1/email/resend", {}),
            ("/v1/password/forgot", {}),
        ):
            answers = []
            for email in ("known@example.com", "new@example.com"):
                body = {"email": email} | fields
                answers += [await identity.post(path, body) for _ in range(4)]
            assert {answer.status for answer in answers} == {202}
            assert all(shown(answer) == shown(answers[0]) for answer in answers), path
            left = [int(answer.headers["RateLimit"].split(";")[1][2:]) for answer in answers]
            assert left == list(range(left[0], left[0] - len(answers), -1)), path
        assert await mails_to(identity, "new@example.com") == 1


@pytest.mark.rule("T14")
async def test_requests_at_the_same_moment_do_not_exceed_a_budget(identity: Identity) -> None:
    await asyncio.gather(
        *(
            identity.sign_up("ana@example.com", headers=STRANGERS[number % len(STRANGERS)])
            for number in range(40)
        )
    )
    assert await mails_to(identity, "ana@example.com") == 5
    assert await counts(identity, MailKind.SIGN_UP) == 5


@pytest.mark.rule("T14")
async def test_attempts_at_the_same_moment_pass_up_to_the_limit(identity: Identity) -> None:
    """In a new window, in one that has begun, and in one that has ended and is stored still."""
    store, clock = Store(identity.database), identity.clock
    limit = RateLimit(key=("a",), limit=5, window=timedelta(minutes=1))

    async def passed(attempts: int) -> int:
        counted = await asyncio.gather(
            *(store.count_all([limit], now=clock.now()) for _ in range(attempts))
        )
        return sum(bool(passed) for passed, _ in counted)

    assert [await passed(3), await passed(30), await passed(30)] == [3, 2, 0]
    clock.move(61)
    assert [await passed(30), await passed(30)] == [5, 0]


async def test_an_attempt_is_given_back_to_its_own_window(identity: Identity) -> None:
    store, clock = Store(identity.database), identity.clock
    limit = RateLimit(key=("a",), limit=1, window=timedelta(minutes=1))
    ([early], _) = await store.count_all([limit], now=clock.now())
    clock.move(61)
    await store.count_all([limit], now=clock.now())
    await store.uncount(limit, early.window)
    (passed, _) = await store.count_all([limit], now=clock.now())
    assert passed == []


@pytest.mark.rule("T14")
@pytest.mark.parametrize("how", ["link", "change"])
async def test_a_reset_is_mailed_after_the_mailed_link_is_spent(
    identity: Identity, how: str
) -> None:
    """The link was used, or the password was changed: strangers' requests count no longer."""
    user = await identity.person("ana@example.com")
    for stranger in STRANGERS:
        body = {"email": "ana@example.com"}
        await identity.post("/v1/password/forgot", body, headers=stranger)
    token = await identity.mailed_reset("ana@example.com")
    if how == "link":
        assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    else:
        body = {"current": PASSWORD, "new": NEW_PASSWORD}
        token_of_user = user["access_token"]
        changed = await identity.send("POST", "/v1/me/password", body, token=token_of_user)
        assert changed.status == 204
        assert (await identity.reset(token, "third-horse-battery-9")).status == 410
    assert len(await identity.rows("user.password_reset_requested")) == 5
    await identity.forgot("ana@example.com")
    assert len(await identity.rows("user.password_reset_requested")) == 6
    token = await identity.mailed_reset("ana@example.com")
    assert (await identity.reset(token, "third-horse-battery-9")).status == 204


@pytest.mark.rule("T14")
async def test_a_withheld_mail_is_counted_and_logged_without_its_address(
    identity: Identity, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="shared.withheld_mails")
    before = withheld("sender-share"), withheld("mailbox")
    for stranger in STRANGERS[:2]:
        for _ in range(4):
            await identity.sign_up("ana@example.com", headers=stranger)
    assert (withheld("sender-share"), withheld("mailbox")) == (before[0] + 1, before[1] + 2)
    lines = [line for line in caplog.records if line.name == "shared.withheld_mails"]
    assert [line.levelno for line in lines] == [logging.INFO] * 3
    assert "ana" not in str([vars(line) for line in lines])


async def test_requests_that_mail_nothing_use_up_no_budget(identity: Identity) -> None:
    for stranger in STRANGERS:
        body = {"email": "ana@example.com"}
        assert (await identity.post("/v1/email/resend", body, headers=stranger)).status == 202
    await identity.sign_up("ana@example.com")
    assert await mails_to(identity, "ana@example.com") == 1


async def test_requests_beyond_a_budget_do_not_make_its_window_longer(identity: Identity) -> None:
    for stranger in STRANGERS:
        await identity.sign_up("ana@example.com", headers=stranger)
    identity.clock.move(SIGN_UP_SECONDS - 1)
    for _ in range(5):
        await identity.sign_up("ana@example.com")
    assert await mails_to(identity, "ana@example.com") == 5
    identity.clock.move(2)
    await identity.sign_up("ana@example.com")
    assert await mails_to(identity, "ana@example.com") == 6
