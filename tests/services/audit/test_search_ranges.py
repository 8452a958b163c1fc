"""Each search reads the range of its index as far as its page, and the database nothing besides."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from services.audit.domain.records import Span
from services.audit.domain.search_terms import FIELDS, Lookup, lookup
from services.audit.migrations import RECORDS
from services.audit.store.records import INDEXES, document_of, query_of
from shared.contracts.facts import Position
from tests.deploy.test_secantusdb_pages import Counting
from tests.services.audit.domain.test_search_terms import USUAL, made, values_of
from tests.services.rows import NOON

NUMBER, PAGE = 400, 10
AT_ONCE = 8
"""The fewest entries that are read at once."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Counting, list[Any]]]:
    """A log of two accounts, and the documents of the one that is searched, newest first."""
    chance = random.Random(20261127)
    records = [
        replace(
            made(chance),
            id=f"evt_{number}",
            account_id=("acc_1", "acc_2")[number % 2],
            occurred_at=NOON + timedelta(seconds=number),
            position=Position("team", "e1", 0, number),
        )
        for number in range(NUMBER)
    ]
    with Counting(str(tmp_path_factory.mktemp("data"))) as database:
        for index in RECORDS:
            partial = {"partialFilterExpression": index.partial} if index.partial else {}
            database.create_index("db", "records", index.name, dict(index.keys), partial)
        database.insert("db", "records", list(map(document_of, records)))
        yield database, [each for each in reversed(records) if each.account_id == "acc_1"]


def in_range(record: Any, chosen: Lookup) -> bool:
    """Whether the index has the record in the range that a search has chosen."""
    [document] = [document_of(record)]
    found: Any = {"": [""], "terms": document["terms"], "action": [document["action"]]}.get(
        chosen.field, [document["actor"].get("on_behalf_of")]
    )
    return not chosen.values or not set(chosen.values).isdisjoint(found)


@pytest.mark.rule("Rp14")
def test_a_search_reads_its_range_up_to_the_end_of_its_page(log) -> None:
    database, records = log
    chance = random.Random(9)
    names = ["user", "through", "word", *FIELDS]
    wrong = {}
    triples = chance.sample([*combinations(names, 3)], 40)
    for asked in [(), *USUAL, *combinations(names, 2), *triples]:
        having = [each for each in records if set(asked) <= set(values_of(each))]
        if not having:
            continue
        values = values_of(chance.choice(having))
        given = {name: values[name][-1:] for name in asked}
        wanted = [each for each in records if given.items() <= one_of(each, given)]
        page = wanted[:PAGE]
        chosen = lookup(given)
        found = database.find(
            "records",
            filter=query_of("acc_1", chosen, Span()),
            sort={"order": -1},
            limit=PAGE,
            hint=INDEXES[chosen.field],
        )
        until = page[-1].order if len(page) == PAGE else ""
        most = sum(each.order >= until and in_range(each, chosen) for each in records)
        if [each["_id"] for each in found] != [each.id for each in page] or database.read > (
            most + AT_ONCE
        ):
            wrong[" ".join(asked)] = len(found), len(page), database.read, most
    assert wrong == {}


def one_of(record: Any, given: dict[str, tuple[str, ...]]) -> Any:
    """The filters that take the record, of those that are given."""
    values = values_of(record)
    return {name: each for name, each in given.items() if each[0] in values.get(name, ())}.items()
