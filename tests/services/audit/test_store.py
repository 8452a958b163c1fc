"""The database finds exactly the records that the filters take."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.audit.domain.records import Filters, KnownUser, Span, action_filter, record_of
from services.audit.domain.search_terms import COMBINATIONS, lookup
from services.audit.store.adoption import add_terms
from services.audit.store.records import INDEXES, query_of
from services.audit.use_cases.lookups import lookups_of
from shared.contracts.facts import Actor, ResourceRef
from shared.contracts.identity_erasure import UserErased
from shared.contracts.team import MemberRemoved
from tests.services.audit.domain.test_records import ACTION_FILTERS, ACTIONS
from tests.services.rows import NOON, row_of

MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)


async def stored(auditing, *rows):
    records = [record_of(row, recorded_at=NOON) for row in rows]

    async with await auditing.client.start_session() as session, session.start_transaction():
        await auditing.ctx.store.add(records, session)
    return records


async def found(auditing, *, after=None, limit=100, **given):
    filters = Filters(**given)
    lookups = await lookups_of(auditing.ctx, "acc_1", filters)
    span = Span.of(filters, before=after)
    return await auditing.ctx.store.search("acc_1", lookups, span, limit=limit)


@pytest.mark.rule("Rp14")
async def test_the_database_finds_the_actions_that_the_filter_takes(auditing):
    rows = [row_of(MEMBER, account_id="acc_1", type=f"team.{action}.v1") for action in ACTIONS]
    await stored(auditing, *rows)
    texts = [text for text, _ in ACTION_FILTERS]
    wrong = {}
    for text in [*texts, *ACTIONS, *(f"{action}*" for action in ACTIONS)]:
        actions = sorted(record.action for record in await found(auditing, action=text))
        if actions != sorted(filter(action_filter(text).matches, ACTIONS)):
            wrong[text] = actions
    assert wrong == {}


async def test_the_end_of_the_range_and_the_cursor_both_limit_a_page(auditing):
    moments = [NOON + timedelta(minutes=minute) for minute in range(5)]
    rows = [row_of(MEMBER, account_id="acc_1", occurred_at=moment) for moment in moments]
    records = await stored(auditing, *rows)

    async def minutes(**options):
        return [moments.index(record.occurred_at) for record in await found(auditing, **options)]

    assert await minutes() == [4, 3, 2, 1, 0]
    assert await minutes(until=moments[3]) == [2, 1, 0]
    assert await minutes(since=moments[1], until=moments[3]) == [2, 1]
    assert await minutes(after=records[3].order) == [2, 1, 0]
    assert await minutes(after=records[3].order, until=moments[2]) == [1, 0]
    assert await minutes(after=records[2].order, until=moments[4]) == [1, 0]
    assert await minutes(after=records[3].order, since=moments[2]) == [2]
    assert await minutes(limit=2) == [4, 3]


async def test_every_user_with_the_address_is_found(auditing):
    for user_id, email in (("usr_1", "a@x.org"), ("usr_2", "A@X.org"), ("usr_3", "b@x.org")):
        await auditing.ctx.store.remember_user(
            KnownUser(user_id=user_id, name="N", email=email, as_of=NOON)
        )
    ids = await auditing.ctx.store.user_ids_with_email("a@X.ORG")
    assert sorted(ids) == ["usr_1", "usr_2"]
    rows = [
        row_of(MEMBER, account_id="acc_1", actor=Actor(type="user", id=f"usr_{number}"))
        for number in (1, 2, 3)
    ]
    await stored(auditing, *rows)
    actors = {record.actor.id for record in await found(auditing, user="a@X.ORG")}
    assert actors == {"usr_1", "usr_2"}


async def test_an_erased_user_has_no_name_and_no_late_fact_brings_it_back(auditing):
    records = auditing.ctx.store
    bo = KnownUser(user_id="usr_bo", name="Bo", email="bo@x.org", as_of=NOON)
    await records.remember_user(bo)
    assert await records.known_users(["usr_bo"]) == {"usr_bo": bo}
    fact = UserErased(user_id="usr_bo", account_id="acc_bo")
    await auditing.take(row_of(fact, resource=ResourceRef(type="user", id="usr_bo")))
    await records.remember_user(replace(bo, as_of=NOON + timedelta(days=1)))
    assert await records.known_users(["usr_bo"]) == {}
    assert await records.user_ids_with_email("bo@x.org") == []


@pytest.mark.rule("Ro17")
async def test_records_of_an_actor_stay_when_the_actor_is_removed(auditing):
    """Nothing that audit receives deletes or changes a record."""
    bo = Actor(type="user", id="usr_bo", name="Bo Li")
    acted = [
        row_of(MEMBER, account_id="acc_1", actor=bo, occurred_at=NOON + timedelta(minutes=minute))
        for minute in range(3)
    ]
    removed = row_of(MEMBER, account_id="acc_1", occurred_at=NOON + timedelta(hours=1))
    await auditing.take(*acted)
    before = [record.id for record in await found(auditing, user="usr_bo")]
    await auditing.take(removed)
    assert [record.id for record in await found(auditing, user="usr_bo")] == before
    assert before == [row.id for row in reversed(acted)]


@pytest.mark.rule("Rp14")
async def test_each_usual_search_is_one_range_of_one_index(auditing):
    """That the range holds little else is counted in `domain/test_search_terms.py`."""
    await stored(auditing, *(row_of(MEMBER, account_id="acc_1") for _ in range(3)))
    wrong = {}
    for combination in ((), *COMBINATIONS):
        wanted = lookup(dict.fromkeys(combination, ("denied",)))
        find = {
            "find": "records",
            "filter": query_of("acc_1", wanted, Span()),
            "sort": {"order": -1},
            "hint": INDEXES[wanted.field],
        }
        plan = await auditing.database.command({"explain": find, "verbosity": "queryPlanner"})
        said = str(plan["queryPlanner"]["winningPlan"])
        if not wanted.exact or "COLLSCAN" in said or f"'{INDEXES[wanted.field]}'" not in said:
            wrong[combination] = said
    assert wrong == {}


async def test_records_of_an_earlier_version_get_their_terms(auditing):
    [record] = await stored(auditing, row_of(MEMBER, account_id="acc_1"))
    kept = auditing.database["records"]
    before = await kept.find_one({"_id": record.id})
    await kept.update_one({"_id": record.id}, {"$unset": {"terms": ""}})
    assert await found(auditing, resource_id=record.resource.id) == []
    await add_terms(auditing.database)
    assert await found(auditing, resource_id=record.resource.id) == [record]
    assert await kept.find_one({"_id": record.id}) == before
