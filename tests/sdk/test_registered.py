"""The map of registered resources: it never changes, and equals a plain dictionary."""

from hypothesis import given
from hypothesis import strategies as st

from rolecall import RegisteredResources, Resource
from rolecall.core.registered import WHOLE_UP_TO

KEYS = st.tuples(st.sampled_from(["instance", "bucket"]), st.integers(0, 30).map(str))
CHANGES = st.lists(st.dictionaries(KEYS, st.sampled_from(["usr_1", "usr_2", None])), max_size=8)


@given(changes=CHANGES, already=st.sampled_from([0, WHOLE_UP_TO - 5, WHOLE_UP_TO + 5]))
def test_the_map_equals_a_dictionary_and_earlier_ones_stay(changes, already):
    plain = {("job", str(number)): Resource(str(number)) for number in range(already)}
    known = RegisteredResources().with_changes(plain)
    kept = []
    for change in changes:
        new = {key: owner and Resource(key[1], owner) for key, owner in change.items()}
        plain = plain | new
        plain = {key: resource for key, resource in plain.items() if resource is not None}
        known = known.with_changes(new)
        kept.append((known, plain))
    for earlier, meant in kept:
        assert dict(earlier) == meant
        assert len(earlier) == len(meant)
        assert bool(earlier) is bool(meant)
        assert all(earlier.get(key) == meant.get(key) for key in [*meant, ("job", "-1")])
        assert earlier.get(("job", "-1"), "none") == "none"
