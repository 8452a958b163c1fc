"""Tests of sign-in: what it answers, and what it must not show."""

from __future__ import annotations

import pytest

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.store import Store
from shared.journal import Journal
from tests.services.identity.faults import CountingHasher, WorkClock
from tests.services.identity.running import PASSWORD, Identity, running
from tests.support.service import FAR


@pytest.mark.rule("T11")
async def test_each_sign_in_starts_a_new_session(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    first = await identity.log_in("ANA@example.com")
    second = await identity.log_in("ana@example.com")
    assert (first.status, second.status) == (200, 200)
    assert first.headers["Cache-Control"] == "no-store"
    tokens = {person["refresh_token"], first.body["refresh_token"], second.body["refresh_token"]}
    assert len(tokens) == 3
    started = await identity.rows("session.started")
    assert len({row.data["session_id"] for row in started}) == 3
    assert {row.account_id for row in started} == {person["account_id"]}
    assert {row.actor.id for row in started} == {person["user"]["id"]}


async def test_blanks_around_an_address_make_no_difference(identity: Identity) -> None:
    assert (await identity.sign_up("  Ana@example.com\t")).status == 202
    [link] = await identity.mailed_links("Ana@example.com")
    assert (await identity.verify(link)).body["user"]["email"] == "Ana@example.com"
    assert (await identity.log_in(" ana@example.com\n")).status == 200


@pytest.mark.rule("T9")
async def test_a_wrong_password_and_an_unknown_address_answer_the_same(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    answers = [
        await identity.log_in("ana@example.com", "another-password-1"),
        await identity.log_in("absent@example.com"),
        await identity.log_in("no address at all"),
    ]
    assert {answer.status for answer in answers} == {401}
    for answer in answers:
        answer.body.pop("request_id")
    assert answers[0].body == answers[1].body == answers[2].body
    assert {tuple(sorted(answer.headers)) for answer in answers} == {
        tuple(sorted(answers[0].headers))
    }
    (refused,) = await identity.rows("session.refused")
    assert refused.account_id == person["account_id"]
    assert refused.outcome == "denied"
    assert refused.actor.type == "anonymous"
    assert refused.request.ip == "127.0.0.1"


async def test_an_address_that_is_not_verified_opens_no_session(identity: Identity) -> None:
    await identity.sign_up("ana@example.com")
    for password in ("another-password-1", PASSWORD):
        answer = await identity.log_in("ana@example.com", password)
        assert (answer.status, answer.body["code"]) == (401, "wrong-credentials")
    assert await identity.rows("session.started", "session.refused") == []


BODIES: dict[str, dict[str, str]] = {
    "login": {"password": "another-password-1"},
    "signup": {"name": "A"},
    "email/resend": {},
    "password/forgot": {},
}


@pytest.mark.rule("T9")
@pytest.mark.parametrize(
    ("before", "path"),
    [
        ("signup", "login"),
        *(("nothing", path) for path in BODIES),
        *(("mails", path) for path in BODIES if path != "login"),
    ],
)
async def test_the_response_time_does_not_show_whether_a_user_exists(
    mongo_url: str,
    database_name: str,
    before: str,
    path: str,
) -> None:
    clock, step = WorkClock(FAR), 1.0
    wiring = {
        "pause": clock.pause,
        "store": clock.taking(0.01, Store),
        "journal": clock.taking(0.1, Journal, "write"),
        "hasher": clock.taking(0.2, Argon2Hasher, "_run")(),
    }
    async with running(
        mongo_url,
        database_name,
        clock=clock,
        wiring=wiring,
        answer_step_seconds=step,
        mails_per_address=1 if before == "mails" else 5,
    ) as identity:
        await identity.person_by_mail("known@example.com")
        emails = ("known@example.com", "unknown@example.com")
        if before == "signup":
            for email in emails:
                await identity.sign_up(email)
        if before == "mails":  # the budget of each mailbox is used up
            for email in emails:
                await identity.sign_up(email)
                await identity.forgot(email)
        spent = []
        for email in emails:
            begun = clock.boottime()
            answer = await identity.post(f"/v1/{path}", {"email": email} | BODIES[path])
            assert answer.status == (401 if path == "login" else 202)
            spent.append(clock.boottime() - begun)
        # What counts the sender comes before the step; it does not look at the address.
        assert spent[0] == pytest.approx(spent[1])
        assert step - 1e-9 <= spent[0] < 1.1 * step  # but for the rounding of the clock


@pytest.mark.rule("T9")
@pytest.mark.parametrize("path", BODIES)
async def test_an_unknown_address_costs_as_many_hashes_as_a_known_one(
    mongo_url: str, database_name: str, path: str
) -> None:
    """A busy machine exceeds the step of the response time; the work must be the same then."""
    hasher = CountingHasher()
    async with running(mongo_url, database_name, wiring={"hasher": hasher}) as identity:
        await identity.person("known@example.com")
        for email in ("known@example.com", "unknown@example.com"):
            before = hasher.jobs
            await identity.post(f"/v1/{path}", {"email": email} | BODIES[path])
            assert hasher.jobs == before + (path == "login"), email


@pytest.mark.rule("T9")
async def test_a_sign_up_costs_a_known_address_the_same_writes(
    mongo_url: str, database_name: str
) -> None:
    clock = WorkClock(FAR)
    wiring = {"pause": clock.pause, "journal": clock.taking(0.1, Journal, "write")}
    async with running(
        mongo_url, database_name, clock=clock, wiring=wiring, answer_step_seconds=0.01
    ) as identity:
        await identity.person("known@example.com")
        spent = []
        for email in ("known@example.com", "unknown@example.com"):
            begun = clock.boottime()
            assert (await identity.sign_up(email)).status == 202
            spent.append(clock.boottime() - begun)
        assert spent[0] == pytest.approx(spent[1])
