"""Tests of `explain` and `who_can` of both clients: one question, all pages, and every failure."""

import asyncio
from datetime import UTC, datetime

import pytest

from rolecall import CheckDecision, CheckExplanation, Given, Holder, Resource, RolecallClient
from rolecall.aio import BusyError, LeaseOverError, NoAnswerError, RequestRefusedError
from rolecall.aio.local import LocalChecks
from rolecall.core.decision_steps import StepId, StepResult
from rolecall.core.explain import Step
from tests.sdk.faulty import client, faulty_rolecall, write
from tests.sdk.streamed import Script
from tests.sdk.test_cli_explain import DENIED, PAGES
from tests.services.authz.histories import ACCOUNT, BO, account, member

EXPLAIN, WHO_CAN = "/v1/authz/explain", "/v1/authz/who-can"
PATIENT = 30.0
EXPLAINED = CheckExplanation(
    CheckDecision(allowed=False, reason="permission-missing", role="basic"),
    (
        Step(StepId.ACCOUNT, StepResult.HOLDS, "The account is active."),
        Step(StepId.GRANTS, StepResult.DOES_NOT_HOLD, "The role Basic does not grant it."),
        Step(StepId.OWNER, StepResult.NOT_REACHED, "This was not looked at."),
    ),
    would_allow="The membership would need the role Admin.",
    could_grant=("usr_a",),
    count=3,
)
HOLDERS = [
    Holder("usr_a", "owner", "role:owner"),
    Holder("usr_b", "basic", "override:prj_1", "self"),
]
PAST = {"reason": "permission-missing", "at": "2026-03-01T13:30:00Z"}
PLACE = Resource("i-1", "usr_c", "prj_1")
ASKED = {
    "account_id": "acc_1",
    "permission": "balance:view",
    "project_id": "prj_1",
    "resource_id": "i-1",
    "owner_id": "usr_c",
}


@pytest.fixture
async def server():
    async with faulty_rolecall() as running:
        running.answers[EXPLAIN] = 200, DENIED
        running.answers[WHO_CAN] = [(200, PAGES[""]), (200, PAGES["next"])]
        yield running


async def test_an_explanation_is_asked_as_a_check_is(server):
    given = Given(resource={"status": "active"})
    async with client(server, timeout=PATIENT) as rc:
        found = await rc.explain("usr_b", "balance:view", PLACE, account="acc_1", given=given)
    assert found == EXPLAINED
    assert server.asked[-1].body["resource"]["properties"] == {
        "status": "active",
        "account_id": "acc_1",
        "project_id": "prj_1",
        "owner_id": "usr_c",
    }


async def test_the_members_of_every_page_are_listed(server):
    async with client(server, timeout=PATIENT) as rc:
        found = [one async for one in rc.who_can("balance:view", PLACE, account="acc_1")]
    assert found == HOLDERS
    assert [(each.path, each.body) for each in server.asked[1:]] == [
        (f"{WHO_CAN}?limit=200", ASKED),
        (f"{WHO_CAN}?limit=200&cursor=next", ASKED),
    ]


async def busy(writer):
    write(writer, 503, {"code": "stale"}, Retry_After="3600")


@pytest.mark.parametrize(
    ("answer", "error", "seconds"),
    [
        ((200, {}), NoAnswerError, 0.3),
        (busy, BusyError, PATIENT),
        ((422, {"code": "invalid"}), RequestRefusedError, PATIENT),
    ],
)
async def test_a_question_without_its_answer_is_an_error_of_its_kind(
    server, answer, error, seconds
):
    server.answers[EXPLAIN] = server.answers[WHO_CAN] = answer
    for ask in (
        lambda rc: rc.explain("usr_b", "balance:view"),
        lambda rc: anext(rc.who_can("balance:view")),
    ):
        async with client(server, timeout=seconds) as rc:
            with pytest.raises(error):
                await ask(rc)


async def test_the_client_for_threads_asks_the_same(server):
    asked = RolecallClient(server.url, "cli_1", "secret", timeout=PATIENT)

    def ask():
        found = asked.explain("usr_b", "balance:view", account_id="acc_1")
        return found, list(asked.who_can("balance:view", account_id="acc_1"))

    assert await asyncio.to_thread(ask) == (EXPLAINED, HOLDERS)


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        (datetime(2026, 3, 1, 13, 30, tzinfo=UTC), "2026-03-01T13:30:00+00:00"),
        (datetime(2026, 3, 1, 13, 30), "2026-03-01T13:30:00"),
        ("yesterday", "yesterday"),
    ],
)
async def test_every_question_of_one_user_may_be_about_a_past_time(server, at, sent):
    server.answers["/access/v1/evaluation"] = 200, {**DENIED, "context": PAST}
    blocking = RolecallClient(server.url, "cli_1", "secret", timeout=PATIENT)
    async with client(server, timeout=PATIENT) as rc:
        decided = await rc.check("usr_b", "balance:view", at=at)
        await rc.explain("usr_b", "balance:view", at=at)
    await asyncio.to_thread(blocking.check, "usr_b", "balance:view", at=at)
    await asyncio.to_thread(blocking.explain, "usr_b", "balance:view", at=at)
    asked = [each.body["context"]["at"] for each in server.asked if not each.path.startswith("/o")]
    assert (asked, decided.at) == ([sent] * 4, PAST["at"])


async def test_a_history_that_is_not_kept_is_a_refusal_of_the_request(server):
    server.answers[EXPLAIN] = 410, {"code": "history-unavailable"}
    async with client(server, timeout=PATIENT) as rc:
        with pytest.raises(RequestRefusedError):
            await rc.explain("usr_b", "balance:view", at="2020-01-01T00:00:00Z")


async def test_local_mode_asks_about_a_past_time_remotely(server):
    script = Script()
    script.begin(account(), member(BO, "developer"))
    server.answers["/access/v1/evaluation"] = 200, {**DENIED, "context": PAST}
    for fallback in (True, False):
        async with client(server, mode="local", timeout=PATIENT, fallback=fallback) as rc:
            rc._local = LocalChecks(script.mirror, clock=lambda: script.now)
            assert await rc.check(BO, "instance:write", account=ACCOUNT)
            if fallback:
                past = await rc.check(BO, "instance:write", account=ACCOUNT, at=PAST["at"])
                assert (past.allowed, past.at) == (False, PAST["at"])
                continue
            with pytest.raises(LeaseOverError):
                await rc.check(BO, "instance:write", account=ACCOUNT, at=PAST["at"])
