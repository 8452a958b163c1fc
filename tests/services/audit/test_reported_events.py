"""Services of the platform report their events; each is recorded once, and found."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from services.audit.domain.report_budget import (
    ReportBudget,
    TooManyReports,
    TooManyReportsWaiting,
)
from services.audit.domain.reported_events import ReportedEvent, event_report
from services.audit.domain.reports import ReportStatus, ServiceReport
from services.audit.store import Store
from services.audit.use_cases.reports import REPORTS_PER_WRITE, record_reports
from shared.auth.principals import ClientPrincipal
from shared.contracts.calls.team import ActingUsers, MemberOnce
from shared.contracts.facts import SHARDS, Actor, ResourceRef, Row, service_caller, shard_of
from shared.contracts.team import ProjectDeleted
from shared.ids import AccountId, ClientId, new_id
from shared.problems import Unavailable
from tests.services.audit.site import ACCOUNT, ANA, BO, OTHER, PROJECT, AuditApi
from tests.services.rows import row_of
from tests.waiting import wait_for

if TYPE_CHECKING:
    from tests.services.audit.conftest import Auditing

CLIENT_ID = ClientId(new_id("cli"))
SCOPES = frozenset({"audit:write"})
CLIENT = ClientPrincipal(client_id=CLIENT_ID, scopes=SCOPES)
BOUND = ClientPrincipal(
    client_id=ClientId(new_id("cli")),
    scopes=SCOPES,
    account_ids=frozenset({ACCOUNT}),
    resource_types=frozenset({"instance"}),
)
VIA = new_id("cli")


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": f"e-{number}",
        "account_id": ACCOUNT,
        "action": "instance.deleted",
        "actor": {"type": "user", "id": ANA},
        "resource": {"type": "instance", "id": f"i-{number}"},
        "occurred_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
    }
    return given | fields


async def recorded(api: AuditApi, query: str, *, number: int = 1) -> list[dict[str, Any]]:
    """The records of reports, after this number of them has arrived."""
    found: list[dict[str, Any]] = []

    async def arrived() -> bool:
        items = (await api.search(query))["items"]
        found[:] = [item for item in items if item["reported_by"] is not None]
        return len(found) >= number

    await wait_for(arrived)
    assert len(found) == number
    return found


@pytest.mark.rule("Rp13", "Ci14", "Nv19")
async def test_reports_are_found_by_the_user_who_acted_however_they_acted(api: AuditApi) -> None:
    by_token = {"type": "user", "id": ANA, "token_id": new_id("tok"), "via": VIA}
    for_ana = {"type": "service", "on_behalf_of": ANA}
    full = event(
        2,
        actor=by_token,
        project_id=PROJECT,
        resource={"type": "instance", "id": "i-2", "name": "web"},
        outcome="failed",
        reason="no space",
        before={"size": 1},
        after={"size": 2, "password": "hunter2"},
        request={"id": "r-7", "ip": "203.0.113.77", "user_agent": "curl"},
    )
    told = await api.report(
        event(1), full, event(3, actor=for_ana), event(4, actor={"type": "service"}), client=CLIENT
    )
    assert told == [("recorded", None)] * 4
    found = await recorded(api, f"user={ANA}&resource_type=instance", number=3)
    by_id = {one["resource"]["id"]: one for one in found}
    assert by_id["i-2"]["actor"]["via"] == VIA
    assert by_id["i-2"]["actor"]["token_id"] == by_token["token_id"]
    assert (by_id["i-3"]["actor"]["id"], by_id["i-3"]["actor"]["on_behalf_of"]) == (CLIENT_ID, ANA)
    assert {one["reported_by"] for one in found} == {CLIENT_ID}
    [shown] = await recorded(api, f"request_id=r-7&project={PROJECT}&outcome=failed")
    assert shown["action"] == "instance.deleted"
    assert shown["after"] == {"size": 2, "password": "[removed]"}
    assert (shown["ip"], shown["user_agent"], shown["reason"]) == (
        "203.0.113.77",
        "curl",
        "no space",
    )
    assert shown["occurred_at"] < shown["recorded_at"]
    await recorded(api, f"user={CLIENT_ID}&action=instance.", number=2)


@pytest.mark.rule("Rp13")
async def test_a_report_names_a_project_that_its_account_has_or_had(api: AuditApi) -> None:
    deleted, of_other, reported = new_id("prj"), new_id("prj"), new_id("prj")
    api.others.projects |= {(OTHER, of_other)}
    for account_id, project_id in ((ACCOUNT, deleted), (OTHER, of_other)):
        gone = ProjectDeleted(project_id=project_id, name="old")
        about = ResourceRef(type="project", id=project_id)
        await api.tell(row_of(gone, account_id=account_id, resource=about))
    claimed = {"type": "instance", "id": reported}
    cases = [
        (PROJECT, ("recorded", None)),
        (deleted, ("recorded", None)),
        (of_other, ("refused", "project-unknown")),
        (reported, ("refused", "project-unknown")),
        (new_id("prj"), ("refused", "project-unknown")),
    ]
    assert await api.report(event(99, resource=claimed), client=CLIENT) == [("recorded", None)]
    await recorded(api, f"resource_id={reported}")
    of_bo = {"account_id": OTHER, "actor": {"type": "user", "id": BO}}
    told = await api.report(
        *(event(number, project_id=each) for number, (each, _) in enumerate(cases)),
        event(98, project_id=of_other, **of_bo),
        client=CLIENT,
    )
    assert told == [*(result for _, result in cases), ("recorded", None)]


async def test_each_report_has_its_own_result(api: AuditApi) -> None:
    stranger = {"type": "user", "id": new_id("usr")}
    old = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    nowhere = "acc_" + "9" * 32
    of_bo = {"type": "user", "id": BO}
    forged = {"action": "member.removed", "resource": {"type": "member", "id": ANA}}
    told = await api.report(
        event(1),
        event(2, actor=stranger),
        event(3, account_id=OTHER),
        event(4, account_id=OTHER, actor=of_bo),
        event(5, **forged),
        event(6, action="member.removed"),
        event(7, occurred_at=old),
        event(8, account_id=nowhere),
        event(1, action="instance.stopped"),
        client=CLIENT,
    )
    assert told == [
        ("recorded", None),
        ("refused", "acting-user-unknown"),
        ("refused", "acting-user-unknown"),
        ("recorded", None),
        ("refused", "own-type"),
        ("refused", "invalid"),
        ("refused", "report-too-old"),
        ("refused", "account-unknown"),
        ("refused", "report-id-reused"),
    ]
    told = await api.report(
        event(1),
        event(2, account_id=OTHER, actor=of_bo),
        event(3, action="volume.deleted", resource={"type": "volume", "id": "v"}),
        client=BOUND,
    )
    assert told == [
        ("recorded", None),
        ("refused", "account-not-bound"),
        ("refused", "type-not-bound"),
    ]
    await recorded(api, "action=instance.", number=2)


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("/events/0/id", {"id": "a b"}),
    ("/events/0/action", {"action": "Instance.deleted"}),
    ("/events/0/actor", {"actor": {"type": "user"}}),
    ("/events/0/actor", {"actor": {"type": "user", "id": ANA, "on_behalf_of": BO}}),
    ("/events/0/actor", {"actor": {"type": "service", "id": ANA}}),
    ("/events/0/resource/name", {"resource": {"type": "instance", "id": "i", "name": "a\u202eb"}}),
    ("/events/0/reason", {"reason": "a\nb"}),
    ("/events/0/after", {"after": {"a": [{"b": 2**53}]}}),
    ("/events/0/occurred_at", {"occurred_at": "2026-03-05T12:00:00"}),
    ("/events/0/occurred_at", {"occurred_at": "yesterday"}),
    ("/events/0/request/ip", {"request": {"ip": "999.1.1.1"}}),
    ("/events/0/reported_by", {"reported_by": VIA}),
]


async def test_what_does_not_fit_names_its_place_and_records_nothing(api: AuditApi) -> None:
    for pointer, fields in BROKEN:
        body = {"events": [event(**fields), event(2)]}
        status, answer = await api.post("/v1/audit/events", body, client=CLIENT)
        assert status == 422, (fields, answer)
        assert answer["errors"][0]["pointer"] == pointer
    status, _ = await api.post("/v1/audit/events", {"events": [event(1)] * 1_001}, client=CLIENT)
    assert status == 422
    other = ClientPrincipal(client_id=CLIENT_ID, scopes=frozenset({"usage:write"}))
    status, answer = await api.post("/v1/audit/events", {"events": [event()]}, client=other)
    assert (status, answer["code"]) == (403, "scope-missing")
    assert api.others.asked == 0


async def test_a_report_that_comes_again_is_recorded_once(api: AuditApi) -> None:
    first, second = event(1), event(2)
    assert await api.report(first, first, client=CLIENT) == [("recorded", None), ("repeated", None)]
    api.others.members.clear()  # the account has gone; what was accepted stays so
    told = await api.report(event(1, action="instance.x"), second, second, client=CLIENT)
    gone = ("refused", "account-unknown")
    assert told == [("refused", "report-id-reused"), gone, gone]
    assert await api.report(first, client=CLIENT) == [("repeated", None)]
    await recorded(api, "action=instance.")


class Team:
    """Team, which knows every user as a member."""

    async def call(self, call: object, callee: str, request: Any) -> ActingUsers:
        return ActingUsers(
            accounts=tuple({one.account_id for one in request.users}),
            users=tuple(
                MemberOnce(account_id=one.account_id, user_id=one.user_id)
                for one in request.users
                if one.user_id is not None
            ),
        )


def a_report(number: int, account_id: str = ACCOUNT) -> ServiceReport:
    made = ReportedEvent(
        id=f"e-{number}",
        account_id=account_id,
        action="instance.deleted",
        actor=Actor(type="user", id=ANA),
        resource=ResourceRef(type="instance", id=f"i-{number}"),
        occurred_at=datetime.now(UTC).replace(microsecond=0),
    )
    return event_report(made, client_id=CLIENT_ID)


async def rows_of(auditing: Auditing) -> list[Row]:
    return [
        signed.row
        for shard in range(SHARDS)
        for signed in await auditing.ctx.journal.changes(shard, after=0, limit=2_000)
    ]


CALLER = service_caller("tests")


async def test_requests_at_the_same_time_record_each_report_once(auditing: Auditing) -> None:
    ctx = replace(auditing.ctx, internal=Team())  # type: ignore[arg-type]
    other = next(one for one in map(account, range(99)) if shard_of(one) != shard_of(ACCOUNT))
    reports = {number: a_report(number) for number in range(4)} | {4: a_report(4, other)}
    reused = {0: a_report(0, other)}
    record = partial(record_reports, ctx, CALLER, CLIENT)
    told = await asyncio.gather(record(reports), record(reports), record(reused), record(reports))
    assert [results[0].status for results in told].count(ReportStatus.RECORDED) == 1
    rows = await rows_of(auditing)
    assert sorted(row.data["event_id"] for row in rows) == [f"e-{number}" for number in range(5)]


def account(number: int) -> AccountId:
    return AccountId(f"acc_{number:032x}")


class Cut(Store):
    """A database that is away at one of the transactions."""

    left = 1

    async def add_report_marks(self, *args: Any, **more: Any) -> None:
        if self.left == 0:
            raise Unavailable
        self.left -= 1
        await super().add_report_marks(*args, **more)


async def test_what_was_cut_off_is_recorded_by_the_same_request_again(auditing: Auditing) -> None:
    ctx = replace(auditing.ctx, internal=Team())  # type: ignore[arg-type]
    reports = {number: a_report(number) for number in range(REPORTS_PER_WRITE + 5)}
    cut = replace(ctx, store=Cut(auditing.database))
    with pytest.raises(Unavailable):
        await record_reports(cut, CALLER, CLIENT, reports)
    assert len(await rows_of(auditing)) == REPORTS_PER_WRITE
    told = await record_reports(ctx, CALLER, CLIENT, reports)
    statuses = [told[number].status for number in sorted(told)]
    assert statuses == ["repeated"] * REPORTS_PER_WRITE + ["recorded"] * 5
    assert len(await rows_of(auditing)) == REPORTS_PER_WRITE + 5


async def test_a_client_beyond_its_budget_records_nothing_and_holds_up_no_other(
    auditing: Auditing,
) -> None:
    """The log records nothing here: every report waits, as behind a flood."""
    ctx = replace(
        auditing.ctx,
        internal=Team(),  # type: ignore[arg-type]
        report_budget=ReportBudget(limit=12_000, most_unrecorded=3),
    )
    other = replace(CLIENT, client_id=ClientId(new_id("cli")))
    record = partial(record_reports, ctx, CALLER)
    flood = {number: a_report(number) for number in range(4)}
    assert {one.status for one in (await record(CLIENT, flood)).values()} == {"recorded"}
    with pytest.raises(TooManyReportsWaiting):
        await record(CLIENT, {0: a_report(5)})
    assert [one.status for one in (await record(other, flood)).values()] == ["recorded"] * 4
    assert len(await rows_of(auditing)) == 8

    auditing.progress.rows["audit"] = (ctx.journal.epoch, {shard_of(ACCOUNT): 8})
    with pytest.raises(TooManyReports):
        await record(CLIENT, {number: a_report(number) for number in range(10, 20)})
    assert [one.status for one in (await record(CLIENT, {0: a_report(5)})).values()] == ["recorded"]
    assert len(await rows_of(auditing)) == 9
