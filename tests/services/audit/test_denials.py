"""Denied decisions become records of their account, once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from services.audit.domain.decision_facts import denial_facts
from services.audit.domain.records import Filters, record_of
from services.audit.routes.record_views import AuditRecordView
from services.audit.use_cases.decisions import record_allows, record_denials
from services.audit.use_cases.search import search
from shared.contracts.calls.decision_counts import (
    AllowCount,
    AllowReport,
    DenialCount,
    DenialReport,
    UndetailedAllows,
    UndetailedDenials,
)
from shared.contracts.facts import SHARDS, Actor, Caller, Outcome, RequestInfo, Row
from shared.mongo import transact
from shared.problems import Unavailable
from tests.services.rows import NOON

if TYPE_CHECKING:
    from services.audit.use_cases.context import Ctx
    from tests.services.audit.conftest import Auditing

ACCOUNT, OTHER = "acc_1", "acc_2"
CALLER = Caller(
    actor=Actor(type="service", id="authz"),
    request=RequestInfo(request_id="req_1", trace_id="1f", ip="10.0.0.9", user_agent="billing/2"),
)
TIMES = {"first": NOON, "last": NOON}


def count(account_id: str = ACCOUNT, **fields) -> DenialCount:
    given = {
        "user_id": "usr_bo",
        "permission": "instance:write",
        "resource_id": "i-1",
        "reason": "permission-missing",
        "number": 3,
    }
    return DenialCount(account_id=account_id, **TIMES, **(given | fields))


def report(number: int, *denials: DenialCount, **more) -> DenialReport:
    return DenialReport(life="0" * 32, number=number, denials=denials, **more)


async def test_a_count_names_no_request_as_the_member_s(auditing: Auditing) -> None:
    """Neither the address nor the request of the service that reports it."""
    several = UndetailedDenials(account_id=None, number=2, **TIMES)
    await record_denials(auditing.ctx, CALLER, report(1, count(), undetailed=(several,)))
    drawn = AllowCount(
        account_id=OTHER,
        user_id="usr_bo",
        permission="instance:write",
        resource_id="i-1",
        number=1,
        one_of=10,
        **TIMES,
    )
    more = UndetailedAllows(account_id=None, number=2, **TIMES)
    allows = AllowReport(life="0" * 32, number=2, allows=(drawn,), undetailed=(more,))
    await record_allows(auditing.ctx, CALLER, allows)
    records = [record_of(row, recorded_at=NOON) for row in await rows_of(auditing.ctx)]
    assert len(records) == 4
    for record in records:
        assert record.request == RequestInfo(request_id="")
        shown = AuditRecordView.of(record)
        assert (shown.request_id, shown.ip, shown.user_agent) == (None, None, None)


async def rows_of(ctx: Ctx) -> list[Row]:
    return [
        signed.row
        for shard in range(SHARDS)
        for signed in await ctx.journal.changes(shard, after=0, limit=500)
    ]


@pytest.mark.rule("B15")
def test_the_actor_of_a_denial_names_the_api_token() -> None:
    facts = denial_facts(report(1, count(token_id="tok_1"), count()))
    actors = [fact.actor for fact in facts if fact.actor is not None]
    assert [(one.id, one.token_id) for one in actors] == [("usr_bo", "tok_1"), ("usr_bo", None)]


@pytest.mark.rule("B15")
async def test_a_denial_is_a_record_with_its_subject_as_the_actor(auditing: Auditing) -> None:
    ctx = auditing.ctx
    await record_denials(ctx, CALLER, report(1, count(project_id="prj_1")))
    rows = await rows_of(ctx)
    kept = [record_of(row, recorded_at=NOON) for row in rows]
    await transact(auditing.client, partial(ctx.store.add, kept))
    reader = replace(CALLER, actor=CALLER.actor.model_copy(update={"id": "reader"}))
    filters = Filters(outcome=Outcome.DENIED, user="usr_bo", resource_id="i-1", project="prj_1")
    page = await search(ctx, reader, ACCOUNT, filters, after=None, limit=10)
    [record] = page.records
    assert (record.action, record.reason) == ("access.denied", "permission-missing")
    assert (record.actor.type, record.actor.id) == ("user", "usr_bo")
    assert (record.resource.type, record.resource.id) == ("instance", "i-1")
    assert record.after == {
        "permission": "instance:write",
        "number": 3,
        "first": "2026-03-05T12:00:00.000Z",
        "last": "2026-03-05T12:00:00.000Z",
    }


@pytest.mark.rule("B15")
async def test_a_batch_that_comes_again_is_recorded_once(auditing: Auditing) -> None:
    accounts = [f"acc_{number}" for number in range(8)]
    batch = report(1, *map(count, accounts), *map(count, accounts))
    for _ in range(3):
        await record_denials(auditing.ctx, CALLER, batch)
    await record_denials(auditing.ctx, CALLER, report(2, count()))
    assert len(await rows_of(auditing.ctx)) == 17


async def test_a_batch_that_was_cut_off_is_completed_when_it_comes_again(
    auditing: Auditing,
) -> None:
    class Cut:
        """A journal that is away after its first write."""

        wrote = False

        async def write(self, *args, **more):
            if self.wrote:
                raise Unavailable
            self.wrote = True
            return await auditing.ctx.journal.write(*args, **more)

    batch = report(1, count(ACCOUNT), count(OTHER))
    with pytest.raises(Unavailable):
        await record_denials(replace(auditing.ctx, journal=Cut()), CALLER, batch)  # type: ignore[arg-type]
    assert len(await rows_of(auditing.ctx)) == 1
    await record_denials(auditing.ctx, CALLER, batch)
    assert sorted(row.account_id or "" for row in await rows_of(auditing.ctx)) == [ACCOUNT, OTHER]


async def test_denials_without_detail_are_records_as_well(auditing: Auditing) -> None:
    lost = (
        UndetailedDenials(account_id=ACCOUNT, number=7, **TIMES),
        UndetailedDenials(number=9, **TIMES),
    )
    await record_denials(auditing.ctx, CALLER, report(1, undetailed=lost))
    shown = {
        (row.account_id, row.action, row.actor.id, row.data["number"])
        for row in await rows_of(auditing.ctx)
    }
    assert shown == {
        (ACCOUNT, "access.denials_not_detailed", "authz", 7),
        (None, "access.denials_not_detailed", "authz", 9),
    }


@pytest.mark.rule("B15")
async def test_a_drawn_allow_is_a_record_once(auditing: Auditing) -> None:
    allowed = AllowCount(
        account_id=ACCOUNT,
        user_id="usr_bo",
        permission="instance:write",
        resource_id="i-1",
        number=3,
        one_of=100,
        **TIMES,
    )
    lost = UndetailedAllows(account_id=OTHER, number=7, **TIMES)
    batch = AllowReport(life="1" * 32, number=1, allows=(allowed,), undetailed=(lost,))
    for _ in range(2):
        await record_allows(auditing.ctx, CALLER, batch)
    rows = {row.action: row for row in await rows_of(auditing.ctx)}
    assert len(await rows_of(auditing.ctx)) == 2
    row = rows["access.allowed"]
    assert (row.outcome, row.actor.id, row.reason) == (Outcome.SUCCEEDED, "usr_bo", None)
    assert row.after == {
        "permission": "instance:write",
        "number": 3,
        "one_of": 100,
        "first": "2026-03-05T12:00:00.000Z",
        "last": "2026-03-05T12:00:00.000Z",
    }
    lost_row = rows["access.allows_not_detailed"]
    assert (lost_row.account_id, lost_row.data["number"]) == (OTHER, 7)
    assert lost_row.outcome is Outcome.SUCCEEDED
