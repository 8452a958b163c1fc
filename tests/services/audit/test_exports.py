"""Exports of the audit log: whole, resumable, recorded, and ended with the permission."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest

from services.audit.domain.exports import MAX_OF_ACCOUNT, ExportFormat, JsonExport
from services.audit.domain.records import Filters, moment_key, record_of
from services.audit.use_cases.exports import (
    ALLOWED_SECONDS,
    PAGE_RECORDS,
    begin_export,
    export_pieces,
)
from shared.clock import SystemClock
from shared.contracts.facts import Actor, Caller, RequestInfo, Row, shard_of
from shared.contracts.identity import UserVerified
from shared.contracts.team import MemberRemoved
from shared.mongo import transact
from shared.problems import PermissionMissing
from tests.services.audit.site import ACCOUNT, ANA, BO, OTHER
from tests.services.rows import NOON, row_of

READER = Caller(actor=Actor(type="user", id="usr_reader"), request=RequestInfo(request_id="req_1"))


def removed(**fields: Any) -> Row:
    payload = MemberRemoved(
        account_name="Acme", user_id=BO, email="bo@example.com", name="=1+1", role="developer"
    )
    return row_of(payload, **({"account_id": ACCOUNT} | fields))


def at_minute(number: int, **fields: Any) -> Row:
    return removed(occurred_at=NOON + timedelta(minutes=number), **fields)


async def exported(api: Any, query: str = "", *, account: str = ACCOUNT) -> list[dict[str, Any]]:
    """The lines of an export in JSON Lines."""
    text, _ = await api.download(f"/v1/accounts/{account}/audit-export?{query}")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.rule("Rp14")
async def test_an_export_holds_what_its_filters_take_oldest_first(api):
    ana = {"actor": Actor(type="user", id=ANA)}
    rows = [at_minute(number, **(ana if number % 2 else {})) for number in range(6)]
    user = {"user_id": ANA, "email": "ana@example.com", "account_id": OTHER, "name": "Ana"}
    await api.tell(*rows, at_minute(2, account_id=OTHER), row_of(UserVerified(**user)))
    first, *records, last = await exported(api, "action=member.&to=2026-03-06T00:00:00Z")
    assert [record["id"] for record in records] == [row.id for row in rows]
    assert (first["type"], first["account_id"], first["estimate"]) == ("export", ACCOUNT, 6)
    assert (last["type"], last["records"]) == ("end", 6)
    assert (last["first"], last["last"]) == (rows[0].id, rows[-1].id)
    _, *of_ana, _ = await exported(api, f"user={ANA}")
    assert [record["id"] for record in of_ana] == [row.id for row in rows[1::2]]
    assert {record["actor"]["name"] for record in of_ana} == {None}  # as it is sealed
    table, _ = await api.download(f"/v1/accounts/{ACCOUNT}/audit-export?format=csv&user={ANA}")
    *of_ana, _ = csv.DictReader(StringIO(table, newline=""))
    assert {record["actor_name"] for record in of_ana} == {"Ana"}


async def test_an_export_goes_on_after_the_last_record_of_one_that_was_cut(api):
    moment = NOON.isoformat().replace("+00:00", "Z")
    rows = [removed(occurred_at=NOON + timedelta(seconds=each // 3)) for each in range(9)]
    await api.tell(*rows, other := removed(account_id=OTHER))
    query = f"action=member.&from={moment}"
    _, *whole, _ = await exported(api, query)
    ids = [record["id"] for record in whole]
    for number, event_id in enumerate(ids):
        _, *rest, last = await exported(api, f"{query}&after={event_id}")
        assert [record["id"] for record in rest] == ids[number + 1 :]
        assert last["records"] == len(rest)
    for unknown in (other.id, "evt_" + "0" * 32):
        status, problem = await api.get(f"/v1/accounts/{ACCOUNT}/audit-export?after={unknown}")
        assert (status, problem["errors"][0]["pointer"]) == (422, "/query/after")


async def test_a_csv_file_is_read_by_any_reader_and_run_by_none(api):
    row = at_minute(1, actor=Actor(type="user", id=ANA, name="=1+1"))
    await api.tell(row)
    text, headers = await api.download(f"/v1/accounts/{ACCOUNT}/audit-export?format=csv&bom=true")
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"].endswith('.csv"')
    assert headers["Rolecall-Export-Estimate"] == "1"
    assert text[0] == "\ufeff"
    found, end = csv.DictReader(StringIO(text[1:], newline=""))
    assert (found["id"], found["actor_name"]) == (row.id, "'=1+1")
    assert end["id"] == "#end"


@pytest.mark.rule("Rp15")
async def test_every_export_is_recorded_before_anything_of_it_is_sent(auditing):
    for _ in range(2):
        await begun(auditing.ctx, user="usr_1")
    rows = [
        signed.row
        for signed in await auditing.ctx.journal.changes(shard_of("acc_1"), after=0, limit=500)
    ]
    assert [(row.action, row.actor.id, row.after) for row in rows] == 2 * [
        (
            "export.started",
            "usr_reader",
            {"filters": {"user": "usr_1"}, "format": "jsonl", "after": None},
        )
    ]


async def begun(ctx: Any, **filters: Any) -> Any:
    return await begin_export(
        ctx, READER, "acc_1", Filters(**filters), after=None, kind=ExportFormat.JSON_LINES
    )


async def test_an_export_that_goes_on_begins_with_its_first_moment(auditing):
    early, late = (
        removed(account_id="acc_1", occurred_at=NOON + timedelta(hours=hours)) for hours in (0, 2)
    )
    records = [record_of(row, recorded_at=NOON) for row in (early, late)]
    await transact(auditing.client, partial(auditing.ctx.store.add, records))
    since = NOON + timedelta(hours=1)
    asked: dict[str, Any] = {"after": early.id, "kind": ExportFormat.JSON_LINES}
    export = await begin_export(auditing.ctx, READER, "acc_1", Filters(since=since), **asked)
    assert export.span.first == moment_key(since)


class SlowPage(SystemClock):
    """The first page of an export takes longer than its reader may read unasked."""

    def __init__(self) -> None:
        self.began = False

    def boottime(self) -> float:
        before, self.began = self.began, True
        return ALLOWED_SECONDS if before else 0.0


async def test_an_export_of_several_pages_has_each_record_once(auditing):
    rows = [removed(account_id="acc_1") for _ in range(PAGE_RECORDS + 3)]
    rows = [
        row.model_copy(update={"occurred_at": NOON + timedelta(milliseconds=number // 40)})
        for number, row in enumerate(rows)
    ]
    records = [record_of(row, recorded_at=NOON) for row in rows]
    await transact(auditing.client, partial(auditing.ctx.store.add, records))
    ctx = replace(auditing.ctx, clock=SlowPage())
    export = await begun(ctx)
    late = removed(account_id="acc_1", occurred_at=export.taken_at + timedelta(seconds=1))
    await auditing.take(late)
    asked = []

    async def permitted() -> None:
        asked.append(ctx.clock.now())

    pieces = [
        json.loads(piece) async for piece in export_pieces(ctx, export, JsonExport(), permitted)
    ]
    assert len(asked) == 1, "the second page comes soon after the first one"
    assert {piece["id"] for piece in pieces[1:-1]} == {row.id for row in rows}
    assert pieces[-1]["records"] == len(pieces) - 2 == len(rows)


async def test_an_export_ends_with_a_word_when_its_reader_may_read_no_more(auditing):
    await auditing.take(removed(account_id="acc_1"))

    class LaterClock(SystemClock):
        moments = 0.0

        def boottime(self):
            self.moments += 10.0
            return self.moments

    async def refused() -> None:
        raise PermissionMissing("audit_log:view")

    ctx = replace(auditing.ctx, clock=LaterClock())
    export = await begun(ctx)
    pieces = [
        json.loads(piece) async for piece in export_pieces(ctx, export, JsonExport(), refused)
    ]
    assert [piece["type"] for piece in pieces] == ["export", "stopped"]
    assert pieces[-1]["code"] == "permission-missing"
    ctx.exports.require_room("acc_1")


async def test_exports_that_begin_at_the_same_time_do_not_pass_the_limit(auditing):
    async def permitted() -> None:
        return

    begun_at_once = [await begun(auditing.ctx) for _ in range(MAX_OF_ACCOUNT + 1)]
    pieces = [export_pieces(auditing.ctx, each, JsonExport(), permitted) for each in begun_at_once]
    first = [json.loads(await anext(each)) for each in pieces]
    assert [one["type"] for one in first] == MAX_OF_ACCOUNT * ["export"] + ["stopped"]
    for each in pieces:
        await each.aclose()
