"""Rules of live tails: what they take, the places from which they go on, and how many are open."""

from contextlib import ExitStack

import pytest
from yarl import URL

from services.audit.domain.matching import takes
from services.audit.domain.records import Filters, KnownUser, record_of
from services.audit.domain.tails import (
    MAX_OF_ACCOUNT,
    MAX_OF_REPLICA,
    MAX_OF_USER,
    TailPlace,
    TooManyTails,
)
from services.audit.routes.filters import AuditFilterQuery
from services.audit.use_cases.tail_readers import TailReaders
from shared.http.routes import Strictness
from shared.http.validation import check_strings
from tests.services.audit.site import ANA
from tests.services.audit.test_search import FILTERS, history
from tests.services.rows import NOON

KNOWN = {str(ANA): KnownUser(user_id=ANA, name="Ana Díaz", email="ana@example.com", as_of=NOON)}


def filters_of(query: str) -> Filters:
    """The filters of a query, read as the route reads them."""
    read = check_strings(
        AuditFilterQuery,
        URL(f"/?{query}").query.items(),
        prefix="/query",
        strictness=Strictness.STRICT,
    )
    assert read is not None
    return read.filters()


@pytest.mark.rule("Rp14")
@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=map(str, range(len(FILTERS))))
def test_a_tail_takes_what_a_search_finds(query, expected):
    records = {name: record_of(row, recorded_at=NOON) for name, row in history().items()}
    filters = filters_of(query)
    taken = [name for name, record in records.items() if takes(filters, record, KNOWN)]
    assert taken[::-1] == expected


@pytest.mark.parametrize(
    "place", [TailPlace(0, ""), TailPlace(1, "evt_1"), TailPlace(2**53 - 1, "a.b")]
)
def test_a_place_is_read_as_it_was_written(place):
    assert TailPlace.read(str(place)) == place


@pytest.mark.parametrize(
    "text",
    ["", ".", "0", "1", "1.", "0.evt_1", "-1.evt_1", "01.evt_1", "x.evt_1", "٣.evt_1", "9" * 5000],
)
def test_other_texts_are_not_a_place(text):
    assert TailPlace.read(text) is None


@pytest.mark.parametrize(
    ("limit", "holder", "named"),
    [
        (MAX_OF_USER, lambda number: (f"acc_{number}", "usr_1"), "a user"),
        (MAX_OF_ACCOUNT, lambda number: ("acc_1", f"usr_{number}"), "an account"),
        (MAX_OF_REPLICA, lambda number: (f"acc_{number}", f"usr_{number}"), "a replica"),
    ],
)
def test_a_tail_beyond_the_limit_is_refused(limit, holder, named):
    readers = TailReaders()
    with ExitStack() as held:
        for number in range(limit):
            held.enter_context(readers.reader(*holder(number)))
        with pytest.raises(TooManyTails, match=f"^{limit} live tails .* {named} may have") as told:
            readers.require_room(*holder(limit))
        assert told.value.retry_after
    readers.require_room(*holder(0))
    assert readers.accounts() == set()


def test_a_reader_that_came_during_a_look_is_not_told_its_moment():
    readers = TailReaders()
    with readers.reader("acc_1", "usr_1"):
        readers.seen({"acc_1": 3}, NOON)
        assert readers.complete_until == NOON
        with readers.reader("acc_2", "usr_1") as late:
            readers.seen({"acc_1": 4}, NOON.replace(hour=13))
            assert (readers.complete_until, late.size) == (NOON, 0)
