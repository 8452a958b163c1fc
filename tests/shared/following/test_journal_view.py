"""Tests of the journal view: when a replica applies a row, and when it may answer."""

from itertools import permutations

import pytest

from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.journal_view import JournalRow, JournalView, RowOutcome
from shared.following.lease_grants import LeaseGrant
from tests.support.chains import digest_at, digests_at


class Names:
    """The simplest state: the ids that exist, and the ids of each `put`."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.puts: list[list[str]] = []

    def clear(self) -> None:
        self.known.clear()
        self.puts.clear()

    def put(self, policy_objects) -> None:
        taken = list(policy_objects)
        self.puts.append([policy_object.id for policy_object in taken])
        for policy_object in taken:
            (self.known.add if policy_object.state is not None else self.known.discard)(
                policy_object.id
            )


def policy_object(name: str, *, gone: bool = False) -> PolicyObject:
    return PolicyObject(kind=PolicyObjectKind.MEMBER, id=name, state=None if gone else {})


def row(
    seq: int, name: str = "", *, part: int = 1, parts: int = 1, epoch: str = "e1", shard: int = 0
) -> JournalRow:
    policy_objects = (policy_object(name),) if name else ()
    return JournalRow(
        epoch=epoch,
        shard=shard,
        seq=seq,
        previous=digest_at(shard, seq - 1),
        digest=digest_at(shard, seq),
        part=part,
        parts=parts,
        policy_objects=policy_objects,
    )


def grant(head: int, *, ttl: float = 10, epoch: str = "e1") -> LeaseGrant:
    return LeaseGrant(epoch=epoch, heads={0: head}, digests=digests_at({0: head}), ttl=ttl)


@pytest.fixture
def state():
    return Names()


@pytest.fixture
def view(state):
    made = JournalView(state)
    made.load(
        epoch="e1", heads={0: 2}, digests=digests_at({0: 2}), policy_objects=[policy_object("old")]
    )
    return made


def test_a_request_states_how_long_earlier_grants_may_last(view):
    assert view.ask(1000.0).held == 0
    view.granted(view.ask(1000.0), grant(2))
    assert view.ask(1004.0).held == pytest.approx(5.8)
    view.granted(view.ask(1005.0), grant(3))
    assert view.holds(1009.9) is False
    assert view.ask(1009.9).held == pytest.approx(4.9), "it waits for its heads, and may count yet"
    assert view.ask(1020.0).held == 0


def test_lease_requests_are_numbered(view):
    assert [view.ask(0.0).number for _ in range(3)] == [1, 2, 3]


def test_the_next_change_is_applied_and_a_known_one_dropped(view, state):
    assert view.on_change(row(3, "new")) is RowOutcome.APPLIED
    assert view.on_change(row(3, "twice")) is RowOutcome.KNOWN
    assert view.on_change(row(1, "before")) is RowOutcome.KNOWN
    assert state.known == {"old", "new"}
    assert view.applied == {0: 3}


def test_a_change_after_a_gap_waits_until_the_gap_is_filled(view, state):
    assert view.on_change(row(5, "later")) is RowOutcome.BUFFERED
    assert state.known == {"old"}
    assert view.missing() == {0: 2}
    view.on_change(row(4, "missed"))
    assert view.on_change(row(3, "first")) is RowOutcome.APPLIED
    assert state.known == {"old", "first", "missed", "later"}
    assert view.missing() == {}


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_a_change_of_several_rows_is_applied_whole_or_not_at_all(view, state, order):
    rows = {part: row(2 + part, f"part {part}", part=part, parts=3) for part in (1, 2, 3)}
    *before, last = order
    view.granted(view.ask(0.0), grant(5))
    for part in before:
        assert view.on_change(rows[part]) is RowOutcome.BUFFERED
        assert state.known == {"old"}
        assert view.applied == {0: 2}
        assert not view.holds(0.0)
        assert not view.has(0, 2 + part)
    assert view.on_change(rows[last]) is RowOutcome.APPLIED
    assert state.known == {"old", "part 1", "part 2", "part 3"}
    assert state.puts[1:] == [["part 1", "part 2", "part 3"]], "one change is one put"
    assert view.applied == {0: 5}
    assert view.holds(0.0)


def test_the_parts_of_the_next_change_wait_for_their_rest(view, state):
    for given in (row(4, "b", part=1, parts=2), row(3, "a")):
        view.on_change(given)
    assert state.puts[1:] == [["a"]]
    assert view.applied == {0: 3}
    assert view.missing() == {}, "the rest is on its way, or the next heads name it"
    view.on_change(row(5, "c", part=2, parts=2))
    assert state.puts[1:] == [["a"], ["b", "c"]]


def test_the_rest_of_a_change_is_applied_after_a_snapshot_inside_it(state):
    view = JournalView(state)
    view.load(
        epoch="e1", heads={0: 3}, digests=digests_at({0: 3}), policy_objects=[policy_object("a")]
    )
    assert view.on_change(row(4, "b", part=2, parts=2)) is RowOutcome.APPLIED
    assert view.applied == {0: 4}


def test_a_late_answer_with_older_heads_does_not_hide_a_gap(view):
    late = view.ask(0.0)
    view.granted(view.ask(0.0), grant(4))
    view.granted(late, grant(2))
    assert view.missing() == {0: 2}


def test_rows_without_objects_take_their_place_in_the_sequence(view):
    assert view.on_change(row(3)) is RowOutcome.APPLIED
    assert view.applied == {0: 3}


def test_rows_before_the_snapshot_are_applied_after_it(state):
    view = JournalView(state)
    assert view.on_change(row(3, "new")) is RowOutcome.BUFFERED
    assert view.missing() == {}, "there is nothing to fill before the snapshot"
    assert view.on_change(row(1, "past")) is RowOutcome.BUFFERED
    assert view.on_change(row(4, "foreign", epoch="e0")) is RowOutcome.BUFFERED
    assert view.missing() == {}
    view.load(
        epoch="e1", heads={0: 2}, digests=digests_at({0: 2}), policy_objects=[policy_object("old")]
    )
    assert state.known == {"old", "new"}
    assert view.applied == {0: 3}


def test_a_late_snapshot_does_not_go_backwards(view, state):
    view.on_change(row(3, "new"))
    assert not view.load(
        epoch="e1",
        heads={0: 1},
        digests=digests_at({0: 1}),
        policy_objects=[policy_object("older")],
    )
    assert state.known == {"old", "new"}
    assert view.applied == {0: 3}


def test_without_a_lease_nothing_is_answered(view):
    assert not view.holds(0.0)


def test_a_lease_holds_for_98_percent_of_its_ttl_from_its_request(view):
    view.granted(view.ask(1000.0), grant(2))
    assert view.holds(1009.79)
    assert not view.holds(1009.8)


def test_a_late_answer_does_not_make_a_lease_longer(view):
    late = view.ask(1000.0)
    view.granted(view.ask(1001.0), grant(2))
    view.granted(late, grant(2))
    assert view.holds(1010.79)
    assert not view.holds(1010.8)


def test_a_lease_counts_only_when_its_heads_are_applied(view):
    view.granted(view.ask(0.0), grant(4))
    assert not view.holds(0.0)
    assert view.missing() == {0: 2}
    view.on_change(row(3))
    assert not view.holds(0.0)
    view.on_change(row(4))
    assert view.holds(0.0)


def test_a_lease_needs_the_heads_of_every_shard(view):
    view.granted(
        view.ask(0.0),
        LeaseGrant(epoch="e1", heads={0: 3, 1: 1}, digests=digests_at({0: 3, 1: 1}), ttl=10),
    )
    assert not view.holds(0.0)
    assert view.missing() == {0: 2, 1: 0}
    view.on_change(row(3))
    assert not view.holds(0.0), "one shard is not enough"
    view.on_change(row(1, shard=1))
    assert view.holds(0.0)


def test_a_lease_requested_before_the_snapshot_does_not_count(state):
    view = JournalView(state)
    request = view.ask(0.0)
    view.load(epoch="e1", heads={0: 9}, digests=digests_at({0: 9}), policy_objects=[])
    view.granted(request, grant(2))
    assert not view.holds(0.0)


def test_a_new_epoch_drops_the_state(view, state):
    view.granted(view.ask(0.0), grant(2))
    life = view.life
    assert not view.granted(view.ask(1.0), grant(2, epoch="restored"))
    assert state.known == set()
    assert not view.loaded
    assert not view.holds(1.0)
    assert view.life != life, "reports about the old state must not count for the new one"


def test_an_answer_from_before_newer_changes_is_not_another_history(view):
    request = view.ask(0.0)
    view.on_change(row(3))
    assert view.granted(request, grant(2))
    assert view.loaded


def test_an_answer_to_an_earlier_life_is_ignored(view):
    request = view.ask(0.0)
    view.forget()
    view.load(epoch="e2", heads={0: 1}, digests=digests_at({0: 1}), policy_objects=[])
    assert view.granted(request, grant(2))
    assert view.loaded
    assert not view.holds(0.0)


def test_an_answer_that_arrives_before_the_snapshot_is_ignored(state):
    view = JournalView(state)
    life = view.life
    assert view.granted(view.ask(0.0), grant(2))
    assert view.life == life
    assert not view.holds(0.0)
    assert view.missing() == {}


def test_a_row_of_another_epoch_is_not_applied(view, state):
    assert view.on_change(row(3, "foreign", epoch="e2")) is RowOutcome.FOREIGN
    assert state.known == {"old"}


def test_forgetting_ends_every_lease_at_once(view):
    view.granted(view.ask(0.0), grant(2))
    view.granted(view.ask(0.0), grant(3))
    view.granted(view.ask(0.0), grant(9))
    view.on_change(row(4, "kept"))
    view.forget()
    assert not view.holds(0.0)
    assert not view.has(0, 1)
    assert view.ask(0.0).held == 0
    view.load(epoch="e1", heads={0: 2}, digests=digests_at({0: 2}), policy_objects=[])
    view.on_change(row(3, "new"))
    assert not view.holds(0.0), "a grant that waited for its heads ended too"
    assert view.applied == {0: 3}, "rows of the earlier life are gone"
    assert view.missing() == {}


def test_a_shard_that_lacks_rows_is_fetched_beside_one_that_waits(view):
    """The waiting part lacks nothing that a fetch could bring: its rest is on its way."""
    view.on_change(row(3, "a", part=1, parts=2))
    heads = {0: 2, 1: 4}
    ahead = LeaseGrant(epoch="e1", heads=heads, digests=digests_at(heads), ttl=10)
    assert view.granted(view.ask(0.0), ahead)
    assert view.missing() == {1: 0}
    assert not view.holds(0.0)
