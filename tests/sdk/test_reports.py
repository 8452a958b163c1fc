"""Reports to the audit log: what is sent, sent together, and sent again."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rolecall.aio import (
    AuditEvent,
    ClientRefusedError,
    MemberUsage,
    ReportOutcome,
    RequestRefusedError,
)
from rolecall.aio.reports import MOST_BYTES, MOST_REPORTS
from tests.sdk.faulty import FaultyRolecall, client, cut, faulty_rolecall, write

PATIENT = 30.0
EVENTS, USAGE = "/v1/audit/events", "/v1/usage"
NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


def event(number: int, **fields: Any) -> AuditEvent:
    given = {"account": "acc_1", "action": "instance.deleted", "resource": f"i-{number}"}
    return AuditEvent(id=f"e-{number}", occurred_at=NOON, **(given | fields))


def recorded(server: FaultyRolecall, path: str = EVENTS) -> None:
    """Answer that each report of the request is recorded."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        [reports] = server.asked[-1].body.values()
        results = [{"id": one["id"], "status": "recorded", "refusal": None} for one in reports]
        write(writer, 200, {"results": results})

    server.answers[path] = answer


def sent(server: FaultyRolecall, path: str = EVENTS) -> list[list[str]]:
    """The ids of each request, in order."""
    requests = [request.body for request in server.asked if request.path == path]
    return [[one["id"] for one in next(iter(body.values()))] for body in requests]


async def test_an_event_is_sent_as_the_api_takes_it():
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        recorded(server)
        full = event(1, user="usr_a", token="tok_1", via="cli_2", after={"size": 2}, ip="192.0.2.7")
        assert await rc.audit(full) == ReportOutcome(id="e-1", recorded=True)
        await rc.audit(event(2, on_behalf_of="usr_a"))
        first, second = (request.body for request in server.asked if request.path == EVENTS)
        [body] = first["events"]
        assert body["actor"] == {
            "type": "user",
            "id": "usr_a",
            "session_id": None,
            "token_id": "tok_1",
            "via": "cli_2",
            "on_behalf_of": None,
        }
        assert body["resource"] == {"type": "instance", "id": "i-1", "name": None}
        assert (body["after"], body["request"]["ip"]) == ({"size": 2}, "192.0.2.7")
        assert body["occurred_at"] == "2026-03-05T12:00:00+00:00"
        [by_itself] = second["events"]
        assert (by_itself["actor"]["type"], by_itself["actor"]["id"]) == ("service", None)


async def test_usage_is_sent_in_exact_decimals():
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        recorded(server, USAGE)
        used = MemberUsage(
            account="acc_1",
            user="usr_a",
            resource_type="instance",
            resource="i-1",
            quantity=Decimal("1E-7"),
            unit="gpu_hour",
            cost=Decimal("0.10"),
            currency="EUR",
        )
        [outcome] = await rc.record_usage([used])
        assert outcome.recorded
        [body] = server.asked[-1].body["usage"]
        assert (body["quantity"], body["cost"]) == (
            "0.0000001",
            {"amount": "0.10", "currency": "EUR"},
        )


async def test_reports_at_the_same_time_share_requests():
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        recorded(server)
        outcomes = await asyncio.gather(*(rc.audit(event(number)) for number in range(50)))
        assert [outcome.id for outcome in outcomes] == [f"e-{number}" for number in range(50)]
        assert len(sent(server)) <= 2


async def test_a_failure_is_tried_again_with_the_same_ids():
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        recorded(server)
        works = server.answers[EVENTS]
        server.answers[EVENTS] = [cut, (503, {"code": "unavailable"}), works]
        [outcome] = await rc.record_events([event(1)])
        assert outcome.recorded
        assert sent(server) == [["e-1"]] * 3


async def test_a_refused_report_says_why_and_leaves_the_others():
    refusal = {"code": "own-type", "detail": "Rolecall itself records this.", "errors": []}
    results = [
        {"id": "e-1", "status": "repeated", "refusal": None},
        {"id": "e-2", "status": "refused", "refusal": refusal},
    ]
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        server.answers[EVENTS] = 200, {"results": results}
        first, second = await rc.record_events([event(1), event(2)])
        assert first.recorded
        assert (second.recorded, second.code) == (False, "own-type")


async def test_a_report_that_does_not_fit_spoils_no_other():
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        recorded(server)
        works = server.answers[EVENTS]

        async def answer(writer: asyncio.StreamWriter) -> None:
            if any(one["id"] == "e-1" for one in server.asked[-1].body["events"]):
                write(writer, 422, {"code": "invalid", "detail": "No."})
            else:
                await works(writer)

        server.answers[EVENTS] = answer
        told = await asyncio.gather(
            *(rc.audit(event(number)) for number in range(3)), return_exceptions=True
        )
        assert isinstance(told[1], RequestRefusedError)
        assert [one.recorded for one in told if isinstance(one, ReportOutcome)] == [True, True]
        with pytest.raises(TypeError):
            await rc.audit(event(9, after={"a": object()}))
        assert (await rc.audit(event(4))).recorded


async def test_a_missing_scope_is_not_tried_again():
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        server.answers[EVENTS] = 403, {"code": "scope-missing"}
        with pytest.raises(ClientRefusedError):
            await rc.audit(event(1))
        assert len(sent(server)) == 1


async def test_many_reports_go_in_requests_that_the_api_takes():
    large = {"text": "x" * 15_000}
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        recorded(server)
        await rc.record_events([event(number) for number in range(MOST_REPORTS + 1)])
        assert [len(ids) for ids in sent(server)] == [MOST_REPORTS, 1]
        await rc.record_events([event(number, after=large) for number in range(300)])
        requests = [request.body for request in server.asked if request.path == EVENTS][2:]
        assert all(len(json.dumps(body)) < MOST_BYTES * 1.1 for body in requests)
        assert sum(len(body["events"]) for body in requests) == 300
