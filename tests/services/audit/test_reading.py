"""Each reading of the audit log is itself recorded."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from services.audit.domain.records import Filters, Span
from services.audit.domain.search_terms import lookup
from services.audit.store import Store
from services.audit.use_cases.search import search, show_record
from shared.clock import SystemClock
from shared.contracts.facts import SHARDS, Actor, Caller, Outcome, RequestInfo, ResourceRef
from shared.contracts.identity_erasure import UserErased
from shared.contracts.team import MemberRemoved
from shared.problems import NotFound, Unavailable
from tests.services.rows import NOON, row_of

ACCOUNT, OTHER = "acc_1", "acc_2"
EVERYTHING = (lookup({}),)
MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)


@dataclass
class StandingClock(SystemClock):
    """A clock that is moved by hand only."""

    moment: datetime = NOON

    def now(self):
        return self.moment


def reader(user_id="usr_reader"):
    return Caller(actor=Actor(type="user", id=user_id), request=RequestInfo(request_id="req-1"))


@pytest_asyncio.fixture(loop_scope="module")
async def ctx(auditing):
    """Audit with one record in each of two accounts; nothing was read yet."""
    await auditing.take(row_of(MEMBER, account_id=ACCOUNT), row_of(MEMBER, account_id=OTHER))
    return replace(auditing.ctx, clock=StandingClock())


async def readings(ctx):
    """(account, reader, filters) of every reading that the journal has."""
    rows = [
        signed.row
        for shard in range(SHARDS)
        for signed in await ctx.journal.changes(shard, after=0, limit=500)
    ]
    assert {row.action for row in rows} <= {"search.performed"}
    assert all(row.resource.type == "audit_log" for row in rows)
    assert all(row.resource.id == row.account_id for row in rows)
    assert all(row.actor.id == row.data["reader_id"] for row in rows)
    return sorted((row.account_id, row.data["reader_id"], row.after["filters"]) for row in rows)


async def find(ctx, *, account=ACCOUNT, caller=None, limit=10, **filters):
    return await search(
        ctx, caller or reader(), account, Filters(**filters), after=None, limit=limit
    )


async def show_first(ctx):
    [found] = await ctx.store.search(ACCOUNT, EVERYTHING, Span(), limit=1)
    return await show_record(ctx, reader(), ACCOUNT, found.id)


async def show_missing(ctx):
    with pytest.raises(NotFound):
        await show_record(ctx, reader(), ACCOUNT, "evt_0")


async def show_record_of_another_account(ctx):
    [found] = await ctx.store.search(OTHER, EVERYTHING, Span(), limit=1)
    with pytest.raises(NotFound):
        await show_record(ctx, reader(), ACCOUNT, found.id)


READS = [
    (show_first, {}),
    (show_missing, {}),
    (show_record_of_another_account, {}),
    (find, {}),
    (lambda ctx: find(ctx, user="usr_ana"), {"user": "usr_ana"}),
    (lambda ctx: find(ctx, user="unknown@example.com"), {"user": "unknown@example.com"}),
    (lambda ctx: find(ctx, outcome=Outcome.DENIED), {"outcome": "denied"}),
    (lambda ctx: find(ctx, since=NOON), {"since": "2026-03-05T12:00:00.000Z"}),
]


@pytest.mark.parametrize(("read", "filters"), READS)
async def test_every_kind_of_reading_is_recorded(ctx, read, filters):
    await read(ctx)
    assert await readings(ctx) == [(ACCOUNT, "usr_reader", filters)]


async def test_a_reader_is_recorded_once_per_minute(ctx):
    for _ in range(3):
        await find(ctx)
        await show_first(ctx)
    assert len(await readings(ctx)) == 1
    ctx.clock.moment += timedelta(seconds=59)
    await show_first(ctx)
    assert len(await readings(ctx)) == 1
    ctx.clock.moment += timedelta(seconds=1)
    await show_first(ctx)
    assert len(await readings(ctx)) == 2


async def test_each_reader_and_each_account_is_recorded(ctx):
    await find(ctx)
    await find(ctx, caller=reader("usr_second"))
    await find(ctx, account=OTHER)
    assert [(account, user) for account, user, _ in await readings(ctx)] == [
        (ACCOUNT, "usr_reader"),
        (ACCOUNT, "usr_second"),
        (OTHER, "usr_reader"),
    ]


async def test_two_replicas_record_a_reader_once_per_minute(ctx):
    await find(ctx)
    await show_first(replace(ctx, recorded_readings={}))
    assert len(await readings(ctx)) == 1


class JournalThatIsAway:
    """A journal that cannot be written."""

    async def write(self, *args, **kwargs):
        raise Unavailable


class UnreadStore(Store):
    """Records that must not be read."""

    async def find(self, *args, **kwargs):
        raise AssertionError("read although the reading was not recorded")

    search = find


async def test_a_reading_that_cannot_be_recorded_shows_nothing(ctx, auditing):
    away = replace(ctx, journal=JournalThatIsAway(), store=UnreadStore(auditing.database))
    with pytest.raises(Unavailable):
        await find(away)
    with pytest.raises(Unavailable):
        await show_record(away, reader(), ACCOUNT, "evt_0")


async def test_a_search_promises_nothing_that_arrives_during_it(ctx, auditing):
    complete = [NOON]

    class Meanwhile(Store):
        async def search(self, *given, **named):
            found = await super().search(*given, **named)
            complete.append(NOON + timedelta(minutes=1))
            return found

    during = replace(ctx, store=Meanwhile(auditing.database), complete_until=lambda: complete[-1])
    assert (await find(during)).complete_until == NOON
    assert len(complete) == 2


async def test_a_record_says_that_its_actor_is_erased(auditing):
    """Most rows have no name of their actor: readers get the one that the log knows."""
    for user_id in ("usr_bo", "usr_new"):
        by = Actor(type="user", id=user_id)
        await auditing.take(row_of(MEMBER, account_id=ACCOUNT, actor=by))
    gone = UserErased(user_id="usr_bo", account_id="acc_bo")
    await auditing.take(row_of(gone, resource=ResourceRef(type="user", id="usr_bo")))
    for user_id, erased in (("usr_bo", ("actor.name",)), ("usr_new", ())):
        page = await search(
            auditing.ctx, reader(), ACCOUNT, Filters(user=user_id), after=None, limit=9
        )
        assert {each.erased for each in page.records if each.actor.id == user_id} == {erased}
