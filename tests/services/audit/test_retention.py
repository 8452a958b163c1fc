"""Records whose retention is over are deleted, and the log proves that they ended by right."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from rolecall.audit.verification import Tampered, Tampering, Verified, verify
from services.audit.domain.exports import ExportFormat
from services.audit.domain.records import Filters, record_of
from services.audit.domain.retention import ENDED, SHORTENING_WAIT, Retention
from services.audit.store import Store
from services.audit.use_cases.exports import begin_export
from services.audit.use_cases.proofs import sealed_page
from services.audit.use_cases.record_endings import RecordKeeper
from services.audit.use_cases.retention import change_retention, read_retention
from services.audit.use_cases.search import search
from shared.contracts.audit_retention import RecordsEnded, RetentionChanged
from shared.contracts.calls.connections import CONNECTION_ACCOUNT, ConnectionAccount
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.contracts.registry import payload_of
from shared.journal import rows
from shared.mongo import transact
from shared.problems import Invalid
from tests.services.audit.sealed_site import ACCOUNT, OTHER, Sealing, ids, ids_of, record

READER = Caller(
    actor=Actor(type="user", id="usr_reader"), request=RequestInfo(request_id="req_reader")
)
DAYS = Retention(days=90)
OLD, YOUNG = timedelta(days=100), timedelta(days=10)


TEAM = "acc_" + "7" * 32


class Killed(Exception):  # noqa: N818 - it stands for a kill
    """Stands for kill -9 at a step."""


class KilledStore(Store):
    """A store whose process dies once before a step, or after it."""

    step: str | None = None

    async def save_endings(self, *given):
        await self._at("save", super().save_endings(*given))

    async def delete_records(self, *given):
        await self._at("delete", super().delete_records(*given))

    async def _at(self, name, doing):
        if self.step == f"before {name}":
            doing.close()
            raise Killed
        await doing
        if self.step == f"after {name}":
            raise Killed


class Keeping(Sealing):
    """A log whose records have their ages, and keepers of it."""

    def keeper(self, *, store=None, platform=DAYS, page=3) -> RecordKeeper:
        return RecordKeeper(
            self.auditing.client,
            store or self.store,
            self.auditing.ctx.journal,
            self.auditing.clock,
            platform=platform,
            page_records=page,
        )

    async def aged(self, seq: int, age: timedelta, **fields: Any):
        """Add a record that is so old."""
        then = self.auditing.clock.now() - age
        each = replace(
            record(seq, **fields), recorded_at=then, occurred_at=then - timedelta(minutes=1)
        )
        await self.add(each)
        return each

    async def seal(self) -> None:
        """Record what audit has said itself, and seal everything."""
        journal, now = self.auditing.ctx.journal, self.auditing.clock.now()
        heads = await journal.heads()
        for shard, seq in heads.seqs.items():
            rows = [signed.row for signed in await journal.changes(shard, after=0, limit=seq)]
            for row in rows:
                if await self.store.digest(row.id) is None:
                    await self.add(record_of(row, recorded_at=now))
        applied = {"epoch": heads.epoch, "low": {str(at): seq for at, seq in heads.seqs.items()}}
        await self.auditing.database["inbox_marks"].update_one(
            {"_id": "audit"}, {"$set": applied}, upsert=True
        )
        await self.sealer().round()

    async def export(self, tree: str = ACCOUNT) -> list[str]:
        lines: list[str] = []
        first: int | None = 0
        while first is not None:
            page = await sealed_page(self.auditing.ctx, READER, tree, first=first, size=None)
            lines += [json.dumps(line) for line in page.lines]
            first = page.next_first
        return lines

    async def verified(self, tree: str = ACCOUNT):
        return verify(await self.export(tree), await self.checkpoint(tree))


@pytest.fixture
def keeping(auditing, tmp_path) -> Keeping:
    return Keeping(auditing, tmp_path)


async def with_ages(keeping: Keeping, *ages: timedelta) -> list[str]:
    """A sealed log of records of these ages; their ids."""
    records = [await keeping.aged(seq, age) for seq, age in enumerate(ages, start=1)]
    await keeping.applied(len(ages))
    await keeping.seal()
    return ids(records)


async def ended(keeping: Keeping, **options: Any) -> None:
    """Tell which records end, wait, and delete them."""
    await keeping.keeper(**options).round()
    await keeping.seal()
    keeping.auditing.clock.ahead += timedelta(hours=2)
    await keeping.keeper(**options).round()


async def kept(keeping: Keeping, of: list[str]) -> list[str]:
    stored = {each["_id"] for each in await keeping.auditing.all("records")}
    return [each for each in of if each in stored]


@pytest.mark.rule("B11", "Ro17")
async def test_old_records_end_and_every_proof_stays_valid(keeping):
    records = await with_ages(keeping, *[OLD] * 7, *[YOUNG] * 4)
    earlier = await keeping.checkpoint()
    await ended(keeping)
    assert await kept(keeping, records) == records[7:]
    lines, newest = await keeping.export(), await keeping.checkpoint()
    assert verify(lines, newest, [earlier]) == Verified(records=12, by_retention=7, days=90)
    assert await ids_of(keeping) == [*records[7:], (await keeping.auditing.all("seals"))[-1]["_id"]]


async def test_searches_and_exports_say_since_when_the_log_is_kept(keeping):
    await with_ages(keeping, OLD, OLD - timedelta(days=1), OLD, OLD, YOUNG)
    last = keeping.auditing.clock.now() - OLD + timedelta(days=1, minutes=-1)
    await ended(keeping)
    page = await search(keeping.auditing.ctx, READER, ACCOUNT, Filters(), after=None, limit=10)
    assert page.kept_since is not None
    assert abs(page.kept_since - last) < timedelta(minutes=1)
    other = await search(keeping.auditing.ctx, READER, OTHER, Filters(), after=None, limit=10)
    assert other.kept_since is None


@pytest.mark.rule("B11")
async def test_nothing_is_deleted_before_the_log_says_so(keeping):
    records = await with_ages(keeping, OLD, OLD, YOUNG)
    await keeping.keeper().round()
    keeping.auditing.clock.ahead += timedelta(hours=2)
    await keeping.keeper().round()  # the record of the end is not sealed yet
    assert await kept(keeping, records) == records
    await keeping.seal()
    await keeping.keeper().round()
    assert await kept(keeping, records) == records[2:]


async def test_an_end_that_another_record_tells_deletes_nothing(keeping):
    records = await with_ages(keeping, OLD, OLD, YOUNG)
    await keeping.keeper().round()
    await keeping.seal()
    other = {"$set": {"after": '{"until": 1}'}}
    await keeping.auditing.database["records"].update_one({"action": ENDED}, other)
    keeping.auditing.clock.ahead += timedelta(hours=2)
    await keeping.keeper().round()
    assert await kept(keeping, records) == records


async def test_an_export_that_began_before_the_end_is_whole(keeping):
    records = await with_ages(keeping, OLD, OLD, YOUNG)
    await keeping.keeper().round()
    await keeping.seal()
    keeping.auditing.clock.ahead += timedelta(minutes=59)
    await keeping.keeper().round()
    assert await kept(keeping, records) == records


async def test_records_that_are_not_sealed_are_kept(keeping):
    sealed = await with_ages(keeping, OLD)
    unsealed = [(await keeping.aged(seq, OLD)).id for seq in (2, 3)]
    await ended(keeping)
    assert await kept(keeping, [*sealed, *unsealed]) == unsealed


async def test_each_account_ends_by_its_own_choice(keeping):
    of = {}
    for number, account in enumerate((ACCOUNT, OTHER, None), start=1):
        of[account] = (await keeping.aged(number, OLD, account=account)).id
    await keeping.applied(3)
    await keeping.seal()
    store, now = keeping.store, keeping.auditing.clock.now()

    async def choose(session):
        forever = Retention(days=30).changed(None, now=now)
        await store.set_retention(OTHER, forever, session)

    await transact(keeping.auditing.client, choose)
    await ended(keeping)
    assert await kept(keeping, list(of.values())) == [of[OTHER]]


async def test_a_longer_retention_stops_an_end_that_was_told(keeping):
    records = await with_ages(keeping, OLD, OLD, YOUNG)
    await keeping.keeper().round()
    await keeping.seal()
    keeping.auditing.clock.ahead += timedelta(hours=2)
    for longer in (Retention(days=365), Retention(days=None)):
        await keeping.keeper(platform=longer).round()
    assert await kept(keeping, records) == records
    assert await keeping.verified() == Verified(records=4)


async def test_an_export_too_small_to_tell_of_the_end_is_refused(keeping):
    await with_ages(keeping, OLD, OLD, YOUNG)
    await ended(keeping)
    with pytest.raises(Invalid) as refused:
        await sealed_page(keeping.auditing.ctx, READER, ACCOUNT, first=0, size=3)
    assert refused.value.errors is not None
    assert "Must be at least 4" in refused.value.errors[0][1]
    assert (await sealed_page(keeping.auditing.ctx, READER, ACCOUNT, first=0, size=4)).size == 4
    asked: dict[str, Any] = {"after": None, "kind": ExportFormat.JSON_LINES}
    with pytest.raises(Invalid):
        await begin_export(keeping.auditing.ctx, READER, ACCOUNT, Filters(), **asked, size=3)
    export = await begin_export(keeping.auditing.ctx, READER, ACCOUNT, Filters(), **asked, size=4)
    assert export.size == 4


async def ends_told(keeping: Keeping) -> int:
    rows = await keeping.auditing.all("journal")
    return sum(RecordsEnded.type in row["event"] for row in rows)


async def test_records_end_again_and_again(keeping):
    await with_ages(keeping, *[OLD] * 4, *[OLD - timedelta(days=20)] * 3, YOUNG)
    told = []
    for days in (0, 15, 0, 400, 400, 400):
        keeping.auditing.clock.ahead += timedelta(days=days)
        await ended(keeping)
        told.append(await ends_told(keeping))
    # At last only the record of an end is left, which needs no further one.
    assert told == [1, 2, 2, 3, 3, 3]
    assert await keeping.verified() == Verified(records=11, by_retention=10, days=90)


class Managers:
    """Team, as it tells who manages the members of an account."""

    async def call(self, call, callee, asked):
        assert (call, callee, asked.managers) == (CONNECTION_ACCOUNT, "team", True)
        return ConnectionAccount(
            open=True, account_name="Acme", manager_emails=("ana@example.com",)
        )


async def test_a_choice_is_recorded_and_told_once(keeping):
    ctx = replace(keeping.auditing.ctx, internal=Managers())
    choose = partial(change_retention, ctx, READER, TEAM, precondition=None)
    forever = await read_retention(ctx, TEAM)
    assert (forever.retention.days, forever.retention.chosen_at) == (None, None)
    assert (await choose(None)).retention == forever.retention
    assert await keeping.auditing.all("journal") == []
    chosen = await choose(90)
    assert chosen.retention.in_force(chosen.at) is None
    again = await choose(90)
    assert again == replace(chosen, at=again.at)
    assert (await read_retention(ctx, TEAM)).retention == chosen.retention
    [row] = [rows.read(each).row for each in await keeping.auditing.all("journal")]
    fact = payload_of(row)
    assert isinstance(fact, RetentionChanged)
    assert (fact.days, fact.previous_days, fact.manager_emails) == (90, None, ("ana@example.com",))
    assert fact.in_force_at - row.occurred_at == SHORTENING_WAIT
    assert (row.before, row.account_id) == ({"days": None}, TEAM)


@pytest.mark.rule("B11")
async def test_a_record_removed_beyond_the_end_is_found(keeping):
    records = await with_ages(keeping, *[OLD] * 3, *[YOUNG] * 3)
    await ended(keeping)
    await keeping.auditing.database["records"].delete_one({"_id": records[3]})
    assert await keeping.verified() == Tampered(fault=Tampering.REMOVED, index=3, line=4)


@pytest.mark.parametrize("name", ["save", "delete"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_kill_at_each_step_loses_and_doubles_nothing(keeping, when, name):
    records = await with_ages(keeping, *[OLD] * 7, YOUNG)
    store = KilledStore(keeping.auditing.database)
    for _ in range(2):  # as the end is told, and as it is carried out
        store.step = f"{when} {name}"
        for _ in range(2):
            try:
                await keeping.keeper(store=store).round()
            except Killed:
                store.step = None
        await keeping.seal()
        keeping.auditing.clock.ahead += timedelta(hours=2)
    await keeping.keeper().round()
    assert await kept(keeping, records) == records[7:]
    assert await keeping.verified() == Verified(records=9, by_retention=7, days=90)


async def test_a_keeper_that_was_paused_changes_nothing(keeping):
    records = await with_ages(keeping, *[OLD] * 4, YOUNG)
    paused = await keeping.store.endings(ACCOUNT)

    class PausedStore(Store):
        async def endings(self, tree, session=None):
            return paused if session is None else await super().endings(tree, session)

    await keeping.keeper().round()
    await keeping.keeper(store=PausedStore(keeping.auditing.database)).round()
    assert await keeping.auditing.database["journal"].count_documents({}) == 1
    await keeping.seal()
    keeping.auditing.clock.ahead += timedelta(hours=2)
    paused = await keeping.store.endings(ACCOUNT)
    await keeping.keeper().round()
    await keeping.keeper(store=PausedStore(keeping.auditing.database)).round()
    assert await kept(keeping, records) == records[4:]
