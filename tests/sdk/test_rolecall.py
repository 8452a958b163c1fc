"""Tests of the asyncio client: every failure has its class, and none of them is an allow."""

import asyncio
import json
import time
from base64 import b64decode

import pytest

from rolecall import Resource, UndecidedError
from rolecall.aio import (
    BusyError,
    Check,
    CircuitOpenError,
    ClientRefusedError,
    LeaseOverError,
    NoAnswerError,
    RequestRefusedError,
    Rolecall,
)
from rolecall.aio.breaker import FAILURES_TO_OPEN, CircuitBreaker
from rolecall.aio.follower import STREAM_PATH
from tests.sdk.faulty import (
    ALLOW,
    DENY,
    client,
    cut,
    cut_in_the_middle,
    drip,
    faulty_rolecall,
    stall,
    write,
)

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
PATIENT = 30.0
"""The deadline of calls that get an answer."""
FINAL = {RequestRefusedError, ClientRefusedError}
"""Errors that end a call at once; the others are tried again until its deadline."""


@pytest.fixture
async def server():
    async with faulty_rolecall() as running:
        yield running


async def test_a_check_sends_an_evaluation_and_returns_the_decision(server):
    async with client(server, timeout=PATIENT) as rc:
        decision = await rc.check(
            "usr_b",
            "instance:delete",
            Resource("i-1", "usr_c", "prj_1"),
            account="acc_1",
            session="ses_1",
            at_least_revision="team.e.3.6",
        )
        assert (decision.allowed, decision.reason, decision.role) == (True, "allowed", "developer")
        server.answers[EVALUATION] = 200, DENY
        assert not await rc.check("usr_b", "instance:delete", "i-1", account="acc_1")
    token, first, second = server.asked
    assert b64decode(token.headers["authorization"].removeprefix("Basic ")) == b"cli_1:s%3Acret"
    assert first.headers["authorization"] == "Bearer t1"
    assert first.body == {
        "subject": {"type": "user", "id": "usr_b", "properties": {"session_id": "ses_1"}},
        "action": {"name": "delete"},
        "resource": {
            "type": "instance",
            "id": "i-1",
            "properties": {"account_id": "acc_1", "project_id": "prj_1", "owner_id": "usr_c"},
        },
        "context": {"at_least_revision": "team.e.3.6"},
    }
    assert second.body["resource"]["id"] == "i-1"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((503, {"code": "stale", "decision": True, "context": ALLOW}), BusyError),
        ((502, b"<html>"), BusyError),
        ((429, {}), BusyError),
        ((403, {"code": "account-not-bound"}), RequestRefusedError),
        ((403, {"code": "scope-missing"}), ClientRefusedError),
        ((400, {"code": "bad-request"}), RequestRefusedError),
        ((401, {"code": "token-revoked"}), ClientRefusedError),
        ((302, ALLOW), NoAnswerError),
        ((202, ALLOW), NoAnswerError),
        ((200, b"true"), NoAnswerError),
        ((200, b"\xff\xfe"), NoAnswerError),
        ((200, [True]), NoAnswerError),
        ((200, {"decision": "true", "context": {"reason": "allowed"}}), NoAnswerError),
        ((200, {"decision": 1, "context": {"reason": "allowed"}}), NoAnswerError),
        ((200, {"decision": True}), NoAnswerError),
        ((200, json.dumps(ALLOW).encode() + b" " * 1_000_000), NoAnswerError),
    ],
)
async def test_everything_but_a_decision_is_an_error_of_its_kind(server, answer, error):
    server.answers[EVALUATION] = answer
    server.answers["/elsewhere"] = 200, ALLOW
    if answer[0] == 302:

        async def redirect(writer):
            write(writer, 302, ALLOW, Location=f"{server.url}/elsewhere")

        server.answers[EVALUATION] = redirect
    if error is BusyError:

        async def busy(writer):
            # The client does not wait so long, and ends after one attempt.
            write(writer, *answer, Retry_After="3600")

        server.answers[EVALUATION] = busy
    patience = dict.fromkeys(FINAL | {BusyError}, PATIENT)
    async with client(server, timeout=patience.get(error, 0.3)) as rc:
        with pytest.raises(error) as failed:
            await rc.check("usr_b", "instance:write")
    assert isinstance(failed.value, UndecidedError)
    assert "/elsewhere" not in server.paths(), "a redirect would carry the token along"


@pytest.mark.parametrize("fault", [stall, cut, cut_in_the_middle, drip])
@pytest.mark.parametrize("path", [EVALUATION, "/oauth2/token"])
async def test_a_fault_of_the_network_ends_within_the_deadline(server, fault, path):
    server.answers[path] = fault
    async with client(server, timeout=0.4) as rc:
        began = time.monotonic()
        with pytest.raises(NoAnswerError) as failed:
            await rc.check("usr_b", "instance:write")
        assert time.monotonic() - began < 30
    assert failed.value.temporary


async def test_a_failure_that_passes_is_tried_again_in_time(server):
    server.answers[EVALUATION] = [(503, {"code": "stale"}), cut, (200, ALLOW)]
    async with client(server, timeout=PATIENT) as rc:
        assert await rc.check("usr_b", "instance:write")
    assert server.paths().count(EVALUATION) == 3


async def test_a_refusal_for_good_is_not_tried_again(server):
    server.answers[EVALUATION] = 403, {"code": "account-not-bound"}
    async with client(server, timeout=PATIENT) as rc:
        with pytest.raises(RequestRefusedError):
            await rc.check("usr_b", "instance:write")
    assert server.paths().count(EVALUATION) == 1


async def test_a_longer_wait_than_the_deadline_is_not_begun(server):
    async def busy(writer):
        write(writer, 503, {"code": "overloaded"}, Retry_After="3600")

    server.answers[EVALUATION] = busy
    async with client(server, timeout=PATIENT) as rc:
        with pytest.raises(BusyError) as failed:
            await rc.check("usr_b", "instance:write")
    assert failed.value.retry_after == 3600


async def test_a_wrong_secret_is_refused_at_once(server):
    server.answers["/oauth2/token"] = 401, {"error": "invalid_client"}
    async with client(server, timeout=PATIENT) as rc:
        with pytest.raises(ClientRefusedError, match="invalid_client"):
            await rc.check("usr_b", "instance:write")
    assert server.paths() == ["/oauth2/token"]


async def test_checks_at_once_share_one_token_and_renew_a_refused_one(server):
    tokens = iter(range(1, 9))

    async def give(writer):
        write(writer, 200, {"access_token": f"t{next(tokens)}", "expires_in": 600})

    server.answers["/oauth2/token"] = give
    async with client(server, timeout=PATIENT) as rc:
        assert all(await asyncio.gather(*(rc.check("usr_b", "a:b") for _ in range(8))))
        assert server.paths().count("/oauth2/token") == 1
        server.answers[EVALUATION] = [(401, {}), (200, ALLOW)]
        assert await rc.check("usr_b", "a:b")
    assert [each.headers["authorization"] for each in server.asked[-3::2]] == [
        "Bearer t1",
        "Bearer t2",
    ]


@pytest.mark.parametrize("resource", [17, None, b"i-1"])
async def test_a_resource_of_another_type_is_refused_before_asking(server, resource):
    async with client(server) as rc:
        with pytest.raises(TypeError, match="Pass its id as a text, or a Resource"):
            await rc.check("usr_b", "instance:write", resource)
        with pytest.raises(TypeError, match="Pass its id as a text, or a Resource"):
            await rc.check_many([Check(subject="usr_b", permission="a:b", resource=resource)])
    assert server.paths() == []


async def test_an_open_circuit_refuses_without_asking(server):
    server.answers[EVALUATION] = 503, {"code": "stale"}
    async with client(server, timeout=0.01) as rc:
        for _ in range(FAILURES_TO_OPEN * 2):
            with pytest.raises(UndecidedError):
                await rc.check("usr_b", "instance:write")
        asked = len(server.asked)
        with pytest.raises(CircuitOpenError) as failed:
            await rc.check("usr_b", "instance:write")
        assert len(server.asked) == asked
    assert failed.value.temporary


def test_a_circuit_opens_after_failures_and_lets_one_trial_through():
    breaker = CircuitBreaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed(0.0)
    breaker.succeeded()
    for _ in range(FAILURES_TO_OPEN):
        breaker.require_closed(0.0)
        breaker.failed(0.0)
    with pytest.raises(CircuitOpenError):
        breaker.require_closed(0.49)
    breaker.require_closed(0.5)
    with pytest.raises(CircuitOpenError):
        breaker.require_closed(0.5)
    breaker.failed(0.6)
    with pytest.raises(CircuitOpenError):
        breaker.require_closed(1.5)
    breaker.require_closed(1.6)
    breaker.given_up()
    breaker.require_closed(1.6)
    breaker.succeeded()
    breaker.require_closed(1.6)


MADE_UP = {"at_least_revision": "team.e.3.999999999"}


@pytest.mark.parametrize(
    ("answer", "more", "opens"),
    [
        ((503, {"code": "stale"}), MADE_UP, False),
        ((429, {"code": "too-many-requests"}), {}, False),
        ((503, {"code": "stale"}), {}, True),
        ((503, {"code": "overloaded"}), MADE_UP, True),
    ],
    ids=["made-up revision", "rate limit", "stale", "overload"],
)
@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
async def test_the_failure_of_one_request_opens_no_circuit(server, answer, more, opens, many):
    async def busy(writer):
        # The client does not wait so long, and ends after one attempt.
        write(writer, *answer, Retry_After="3600")

    server.answers[EVALUATION] = server.answers[EVALUATIONS] = busy
    sent = Check(subject="usr_b", permission="instance:view", **more)
    async with client(server, timeout=PATIENT) as rc:
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(BusyError):
                await rc.check_many([sent, sent] if many else [sent])
        server.answers[EVALUATION] = 200, ALLOW
        if opens:
            with pytest.raises(CircuitOpenError):
                await rc.check("usr_c", "instance:view")
        else:
            assert await rc.check("usr_c", "instance:view")


async def test_many_checks_are_one_request_where_rolecall_has_that(server):
    server.answers[EVALUATIONS] = 200, {"evaluations": [ALLOW, DENY, DENY]}
    checks = [Check(subject=f"usr_{n}", permission="instance:view", account="a") for n in range(3)]
    async with client(server, timeout=PATIENT) as rc:
        decisions = await rc.check_many(checks)
        assert await rc.check_many([]) == []
    assert [each.allowed for each in decisions] == [True, False, False]
    assert server.paths() == ["/oauth2/token", EVALUATIONS]
    sent = server.asked[-1].body["evaluations"]
    assert [each["subject"]["id"] for each in sent] == ["usr_0", "usr_1", "usr_2"]


async def test_many_checks_are_asked_one_by_one_of_an_older_rolecall(server):
    checks = [Check(subject=f"usr_{n}", permission="instance:view") for n in range(3)]
    async with client(server, timeout=PATIENT) as rc:
        assert all(await rc.check_many(checks))
        assert all(await rc.check_many(checks))
    assert server.paths().count(EVALUATIONS) == 1
    assert server.paths().count(EVALUATION) == 6


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ([ALLOW], NoAnswerError),
        ([ALLOW, ALLOW, ALLOW], NoAnswerError),
        ([ALLOW, {"decision": True}], NoAnswerError),
    ],
    ids=["too few", "too many", "no reason"],
)
async def test_an_answer_that_lacks_a_decision_decides_none(server, items, error):
    server.answers[EVALUATIONS] = 200, {"evaluations": items}
    checks = [Check(subject="usr_b", permission="instance:view")] * 2
    async with client(server, timeout=0.3) as rc:
        with pytest.raises(error):
            await rc.check_many(checks)


REFUSED_ITEM = {"decision": False, "context": {"error": {"status": 400, "message": "No."}}}


@pytest.mark.parametrize("many", [False, True], ids=["one by one", "in one request"])
async def test_a_refused_check_leaves_the_others_decided(server, many):
    async def by_subject(writer):
        good = server.asked[-1].body["subject"]["id"]
        write(writer, *((200, ALLOW) if good else (400, {"code": "bad-request"})))

    server.answers[EVALUATION] = by_subject
    if many:
        server.answers[EVALUATIONS] = 200, {"evaluations": [ALLOW, REFUSED_ITEM, ALLOW]}
    checks = [Check(subject=each, permission="instance:view") for each in ("usr_b", "", "usr_c")]
    async with client(server, timeout=PATIENT) as rc:
        decisions = await rc.check_many(checks)
    assert [(each.allowed, each.reason) for each in decisions] == [
        (True, "allowed"),
        (False, "check-refused"),
        (True, "allowed"),
    ]


async def test_local_mode_asks_remotely_until_it_can_decide(server):
    async with client(server, mode="local", timeout=PATIENT) as rc:
        assert await rc.check("usr_b", "instance:write", account="acc_1")
    server.answers[STREAM_PATH] = stall
    async with client(server, mode="local", fallback=False, timeout=0.3) as rc:
        with pytest.raises(LeaseOverError):
            await rc.check("usr_b", "instance:write", account="acc_1")
        with pytest.raises(LeaseOverError):
            await rc.ready()


async def test_a_stream_that_is_refused_is_what_ready_says(server):
    async with client(server, mode="local", timeout=PATIENT) as rc:
        with pytest.raises(RequestRefusedError, match="404"):
            await rc.ready()


async def test_a_client_that_is_not_open_says_so(server):
    with pytest.raises(RuntimeError, match="async with"):
        await client(server).check("usr_b", "instance:write")
    with pytest.raises(RuntimeError, match="local"):
        client(server).resolve("usr_b", "instance:write")


@pytest.mark.parametrize("url", ["ftp://example.test", "rolecall:8080", "", "http://rolecall.test"])
def test_an_address_that_cannot_be_used_is_refused(url):
    with pytest.raises(ValueError, match="not"):
        Rolecall(url, client_id="cli_1", client_secret="secret")
