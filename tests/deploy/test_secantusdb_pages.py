"""A page of SecantusDB is what it finds in the whole collection.

How much it reads for a page is in `tests/services/audit/test_search_ranges.py`.
"""

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from secantus import commands
from secantus.cursors import CursorRegistry

from deploy.programs.secantusdb import Storage

# SecantusDB itself loses documents where it chooses an index with a filter, as `by_kind`.
INDEXES: dict[str, tuple[dict[str, int], dict[str, Any]]] = {
    "by_time": ({"owner": 1, "at": 1}, {}),
    "by_tags": ({"owner": 1, "tags": 1, "at": 1}, {}),
    "by_kind": (
        {"owner": 1, "kind": 1, "at": 1},
        {"partialFilterExpression": {"kind": {"$gt": ""}}},
    ),
    "by_number": ({"owner": 1, "number": 1}, {}),
    "by_list": ({"owner": 1, "list": 1}, {}),
    "backward": ({"owner": 1, "down": -1}, {}),
}
DOCUMENTS, TRIED = 150, 120


class Counting(Storage):
    """Counts the documents that are read."""

    read = 0

    def _docs_by_recordids(self, db: str, coll: str, numbers: list[int]) -> Any:
        self.read += len(numbers)
        return super()._docs_by_recordids(db, coll, numbers)

    def _raw_documents(self, db: str, coll: str, numbers: list[int]) -> list[bytes]:
        self.read += len(numbers)
        return super()._raw_documents(db, coll, numbers)

    def _scan_docs(self, db: str, coll: str) -> Any:
        for found in super()._scan_docs(db, coll):
            self.read += 1
            yield found

    def find(self, collection: str, **options: Any) -> list[dict[str, Any]]:
        """The documents that the server answers to a command of the driver."""
        self.read = 0
        context = commands.CommandContext(1, self, CursorRegistry(), db_name="db")
        answer = commands.dispatch({"find": collection, **options, "$db": "db"}, context)
        return list(answer["cursor"]["firstBatch"])


def thing(number: int, chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "_id": number,
        "owner": chance.choice(("a", "a\0", "ab", "b")),
        "at": f"{chance.randrange(90):03}{chance.choice(('', '.x', chr(0), '~'))}",
        "tags": chance.sample(("t=1", "t=1&u", "t", "v"), chance.randrange(4)),
        "number": chance.choice((-3, 0, 2, 7, 2**40, 1.5, None, "7")),
        "list": chance.choice((1, 5, [0, 9], [])),
        "down": chance.randrange(20),
    }
    kind = chance.choice((None, "", "k", "kk"))
    return found if kind is None else {**found, "kind": kind}


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    chance = random.Random(20261127)
    with Counting(str(tmp_path_factory.mktemp("data"))) as kept:
        for name, (fields, options) in INDEXES.items():
            kept.create_index("db", "things", name, fields, options)
        kept.insert("db", "things", [thing(number, chance) for number in range(DOCUMENTS)])
        yield kept


SORTED = {
    "at": (
        {"$gte": "", "$lt": "~"},
        {"$gt": "010", "$lte": "070~"},
        {"$lt": "045"},
        {"$gte": "030"},
    ),
    "number": ({"$gt": -5}, {"$gte": 0, "$lt": 7}, {"$lte": 2**40}),
    "list": ({"$gte": 0}, {"$lt": 6}),
    "down": ({"$gte": 3, "$lt": 17},),
}
OTHERS: tuple[dict[str, Any], ...] = (
    {},
    {"tags": "t=1"},
    {"tags": {"$in": ["t=1", "v", "t=1"]}},
    {"tags": "t", "down": 4},
    {"tags": "t", "$and": [{"tags": "v"}]},
    {"kind": "k"},
    {"kind": ""},
    {"kind": {"$in": ["k", "kk"]}, "tags": {"$in": ["v", "t"]}},
    {"number": {"$gte": 0}},
    {"number": None},
)
ASKED = [
    ({"owner": owner, **others, field: bounds}, field, direction, skip, limit)
    for owner, others in product(("a", "a\0", {"$in": ["ab", "b"]}, {"$ne": "b"}), OTHERS)
    for field, choices in SORTED.items()
    for bounds in choices
    if field not in others
    for direction, skip, limit in ((1, 0, 5), (-1, 0, 5), (-1, 3, 40))
]


def identified(found: list[dict[str, Any]], field: str) -> list[Any]:
    """The values by which they are sorted; which of several equal ones come first is free."""
    return [each.get(field) for each in found]


def test_a_page_is_what_the_database_finds_in_the_whole_collection(things: Counting) -> None:
    wrong = []
    for query, field, direction, skip, limit in random.Random(3).sample(ASKED, TRIED):
        asked = {"filter": query, "sort": {field: direction}, "skip": skip, "limit": limit}
        known = things.find("things", **asked, hint={"$natural": 1})
        hints: list[str | None] = [name for name, (keys, _) in INDEXES.items() if field in keys]
        if not query.get("kind"):  # `by_kind` does not have what the query finds
            hints = [None, *(name for name in hints if name != "by_kind")]
        for hint in hints:
            found = things.find("things", **asked, **({"hint": hint} if hint else {}))
            same = identified(found, field) == identified(known, field)
            if not same or len({each["_id"] for each in found}) != len(known):
                wrong.append((query, field, direction, hint))
    assert wrong == []


def test_a_page_begins_and_ends_at_its_bounds(things: Counting) -> None:
    """Several documents are on each bound, which some pages leave out."""
    for low, high, direction in product(("$gt", "$gte"), ("$lt", "$lte"), (1, -1)):
        asked = {
            "filter": {"owner": "a", "number": {low: 0, high: 7}},
            "sort": {"number": direction},
            "limit": 3,
        }
        known = things.find("things", **asked, hint={"$natural": 1})
        found = things.find("things", **asked, hint="by_number")
        assert identified(found, "number") == identified(known, "number"), (low, high, direction)
