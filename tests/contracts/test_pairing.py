"""No value and no thing is left out by the share of pairs that a short run asks."""

from collections import Counter

import pytest

from tests.contracts.pairing import kind_of, row_pairs
from tests.contracts.rows import ROWS
from tests.pairing import ONE_PAIR_IN, pairs

VALUES = range(12)


def test_a_row_of_every_kind_gets_each_value():
    given = {(kind_of(row), value) for row, value in row_pairs(ROWS, VALUES)}
    assert given == {(kind_of(row), value) for row in ROWS for value in VALUES}


def test_every_row_gets_its_share_of_the_values():
    counts = Counter(row.operation_id for row, _ in row_pairs(ROWS, VALUES))
    assert set(counts) == {row.operation_id for row in ROWS}
    assert min(counts.values()) >= len(VALUES) // ONE_PAIR_IN


@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize("one_in", [1, 2, 3, 4])
def test_things_of_one_kind_share_the_values(size, one_in):
    given = list(pairs(range(size), lambda _: VALUES, kind=lambda _: "one", one_in=one_in))
    assert len(given) == len(set(given)) == size * len(VALUES) / min(one_in, size)
    assert {value for _, value in given} == set(VALUES)


def test_one_pair_in_one_is_every_pair():
    given = list(pairs("ab", lambda thing: [thing, "c"], kind=str, one_in=1))
    assert given == [("a", "a"), ("a", "c"), ("b", "b"), ("b", "c")]
