"""Pages that are read again: they show what is stored, and no more of it is read than needed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from services.team.domain.member_list import (
    MemberListField,
    MemberListQuery,
    NoSuchPlace,
    check_place,
)
from services.team.migrations import MEMBER_LIST
from services.team.store.list_pages import ListPages, PageEnds, Part
from shared.ids import new_id
from shared.indexes import build_indexes
from shared.mongo import connect
from tests.patience import PATIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.mongo import Collection, Database, Document

BEGIN = {"shard": 1, "account_id": "acc_1"}
PARTS = [Part("name_key")]


def page_of(limit: int, *, descending: bool = False, **more: Any) -> MemberListQuery:
    return MemberListQuery(
        field=MemberListField.NAME, descending=descending, limit=limit, role_keys={}, **more
    )


def stored(number: int, name: str) -> Document:
    return {**BEGIN, "_id": number, "user_id": f"usr_{number:03}", "name_key": name}


@pytest.fixture
def database(mongo_url: str) -> Iterator[Database]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client[new_id("test")]
    client.close()


@dataclass
class Recorder:
    """A collection that only keeps what it is asked for, and finds `rows`."""

    rows: list[Document]
    asked: list[Document] = field(default_factory=list)

    def aggregate(self, stages: list[Document]) -> Recorder:
        self.asked.append(stages[0]["$match"])
        return self

    async def to_list(self, limit: int) -> list[Document]:
        return self.rows[:limit]


async def test_a_page_that_is_read_again_ends_where_it_ended() -> None:
    recorder = Recorder([stored(number, f"name {number}") for number in range(5)])
    pages = ListPages(cast("Collection", recorder), key="user_id")
    for _ in range(2):
        await pages.read(BEGIN, [], PARTS, page_of(3))
    assert recorder.asked == [BEGIN, {**BEGIN, "name_key": {"$lt": "name 2\U0010ffff"}}]


async def test_a_page_that_lost_rows_is_read_beyond_its_old_end() -> None:
    recorder = Recorder([stored(number, f"name {number}") for number in range(5)])
    pages = ListPages(cast("Collection", recorder), key="user_id")
    after = ("name", "usr_0")
    await pages.read(BEGIN, [], PARTS, page_of(3, after=after))
    recorder.rows = recorder.rows[:2]
    await pages.read(BEGIN, [], PARTS, page_of(3, after=after))
    from_there = {"$gte": "name"}
    assert recorder.asked[1:] == [
        {**BEGIN, "name_key": {**from_there, "$lt": "name 2\U0010ffff"}},
        {**BEGIN, "name_key": from_there},
    ]


@pytest.mark.parametrize("field", [MemberListField.SINCE, MemberListField.LAST_ACTIVE])
@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize(
    ("moment", "there"),
    [
        ("0001-01-01T00:00:00.000+00:00", True),
        ("9999-12-31T23:59:59.998+00:00", True),
        ("9999-12-31T23:59:59.999+00:00", False),
        ("9999-12-31T23:59:59.999-14:00", False),
        ("0001-01-01T00:00:00.000+14:00", False),
        ("2026-11-26T00:00:00.000+01:00", False),
        ("2026-11-26T00:00:00.000", False),
    ],
)
async def test_a_time_is_a_place_if_the_database_can_read_from_there(
    database: Database, field: MemberListField, moment: str, *, descending: bool, there: bool
) -> None:
    query = replace(page_of(3, descending=descending), field=field, after=(moment, "usr_0"))
    pages = ListPages(database["members"], key="user_id")
    if there:
        check_place(query)
        assert await pages.read(BEGIN, [], [Part("joined_at")], query) == []
    else:
        with pytest.raises(NoSuchPlace):
            check_place(query)


def test_ends_of_other_pages_are_not_taken_and_old_ones_are_forgotten() -> None:
    ends, first = PageEnds(most=2), page_of(3)
    ends.note(BEGIN, first, "c")
    for other in (page_of(4), page_of(3, descending=True), page_of(3, text="a")):
        assert ends.known(BEGIN, other) is None
    assert ends.known({**BEGIN, "account_id": "acc_2"}, first) is None
    ends.note(BEGIN, page_of(4), "d")
    ends.note(BEGIN, first, "b")
    ends.note(BEGIN, page_of(5), "e")
    assert ends.known(BEGIN, first) == "b"
    assert ends.known(BEGIN, page_of(4)) is None


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
async def test_pages_that_are_read_again_follow_every_change(
    database: Database, *, descending: bool
) -> None:
    chance, count = random.Random(descending), 12
    await build_indexes(database, *MEMBER_LIST)
    collection: Collection = database["members"]
    rows = {number: stored(number, f"name {number % 7}") for number in range(count)}
    await collection.insert_many([dict(row) for row in rows.values()])
    pages = ListPages(collection, key="user_id")

    async def whole(limit: int) -> list[str]:
        seen: list[str] = []
        after = None
        while True:
            query = page_of(limit, descending=descending, after=after)
            page = await pages.read(BEGIN, [], PARTS, query)
            seen += [row["user_id"] for row in page]
            if len(page) < limit:
                return seen
            after = page[-1]["name_key"], page[-1]["user_id"]

    for step in range(12):
        expected = sorted(
            ((row["name_key"], row["user_id"]) for row in rows.values()), reverse=descending
        )
        for limit in (2, 5):
            assert await whole(limit) == [user for _, user in expected], (step, limit)
        number = chance.randrange(count + step)
        if chance.random() < 0.5 and number in rows:
            del rows[number]
            await collection.delete_one({"_id": number})
        else:
            rows[number] = stored(number, f"name {chance.randrange(9)}")
            await collection.replace_one({"_id": number}, rows[number], upsert=True)
