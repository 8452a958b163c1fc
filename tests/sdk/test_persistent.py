"""The maps of a state: they never change, and equal plain dictionaries."""

from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall import items_after, mapped, with_changes
from rolecall.core.persistent import PART_SIZE, PersistentMap

KEYS = st.integers(0, 40).map(lambda number: f"k{number * 37 % 41:03}")
CHANGES = st.lists(
    st.one_of(
        st.dictionaries(KEYS, st.sampled_from(["one", "two", None])),
        st.sampled_from([str.upper, str.title]),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(changes=CHANGES, already=st.sampled_from([0, PART_SIZE - 5, PART_SIZE * 3]))
def test_the_map_equals_a_dictionary_and_earlier_ones_stay(changes, already):
    plain = {f"k{number * 37 % 41:03}-{number}": "many" for number in range(already)}
    known = with_changes({}, plain)
    kept = []
    for change in changes:
        if isinstance(change, dict):
            plain = plain | change
            plain = {key: value for key, value in plain.items() if value is not None}
            known = with_changes(known, change)
        else:
            plain = {key: change(value.lower()) for key, value in plain.items()}
            known = mapped(known, partial(again, change))
        kept.append((known, plain))
    for earlier, meant in kept:
        assert len(earlier) == len(meant)
        assert all(earlier.get(key) == meant.get(key) for key in [*meant, "elsewhere"])
        assert dict(earlier) == meant
        assert earlier.get("elsewhere", "none") == "none"
        assert "elsewhere" not in earlier
        assert list(items_after(earlier)) == sorted(meant.items())
        assert list(items_after(earlier, "k020")) == [
            (key, value) for key, value in sorted(meant.items()) if key > "k020"
        ]


def again(change, value):
    """A function of the kind that the map takes: it can be applied to any earlier form."""
    return change(value.lower())


def test_a_small_map_is_a_dictionary_and_a_large_one_is_in_parts():
    small = with_changes({}, dict.fromkeys(map(str, range(PART_SIZE)), 1))
    large = with_changes(small, {"more": 1})
    assert isinstance(small, dict)
    assert isinstance(large, PersistentMap)
    gone = dict.fromkeys([str(number) for number in range(PART_SIZE)], None)
    assert with_changes(large, gone) == {"more": 1}
    assert isinstance(with_changes(large, gone), dict)


def test_a_change_copies_only_the_parts_that_it_touches():
    values = {f"{number:05}": [number] for number in range(20 * PART_SIZE)}
    known = with_changes({}, values)
    looked_at = []

    def look(value):
        looked_at.append(value)
        return value

    changed = with_changes(mapped(known, look), {"00007": [0], "00008": None})
    assert 0 < len(looked_at) <= PART_SIZE
    assert changed.get("10000") is known["10000"]
    assert len(looked_at) <= 2 * PART_SIZE


def test_a_large_map_keeps_the_items_that_were_read_lately_at_hand():
    known = with_changes({}, {f"{number:05}": number + 1 for number in range(3 * PART_SIZE)})
    assert isinstance(known, PersistentMap)
    for number in range(3 * PART_SIZE):
        assert known.get(f"{number:05}") == number + 1
        assert 0 < len(known._at_hand) <= PART_SIZE
    assert "elsewhere" not in known
    assert "elsewhere" not in known._at_hand
