"""When may a replica use what it knows of a journal?"""

import pytest

from services.authz.replica import Change, Grant, JournalView, Seen
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind


class Names:
    """The simplest state: which things are there."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def clear(self) -> None:
        self.known.clear()

    def put(self, policy_objects) -> None:
        for policy_object in policy_objects:
            (self.known.add if policy_object.state is not None else self.known.discard)(
                policy_object.id
            )


def policy_object(name: str, *, gone: bool = False) -> PolicyObject:
    return PolicyObject(kind=PolicyObjectKind.MEMBER, id=name, state=None if gone else {})


def row(seq: int, name: str = "", *, part: int = 1, parts: int = 1, epoch: str = "e1") -> Change:
    policy_objects = (policy_object(name),) if name else ()
    return Change(
        epoch=epoch, shard=0, seq=seq, part=part, parts=parts, policy_objects=policy_objects
    )


def grant(head: int, *, ttl: float = 10, epoch: str = "e1") -> Grant:
    return Grant(epoch=epoch, heads={0: head}, ttl=ttl)


@pytest.fixture
def state():
    return Names()


@pytest.fixture
def view(state):
    made = JournalView(state, 100)
    made.load(epoch="e1", heads={0: 2}, policy_objects=[policy_object("old")])
    return made


def test_an_ask_says_how_long_earlier_grants_may_still_last(view):
    assert view.ask(1000.0).held == 0
    view.granted(view.ask(1000.0), grant(2))
    assert view.ask(1004.0).held == pytest.approx(5.8)
    view.granted(view.ask(1005.0), grant(3))
    assert view.holds(1009.9) is False
    assert view.ask(1009.9).held == pytest.approx(4.9), "it waits for its heads, and may come true"
    assert view.ask(1020.0).held == 0


def test_the_next_change_is_applied_and_a_known_one_dropped(view, state):
    assert view.on_change(row(3, "new")) is Seen.APPLIED
    assert view.on_change(row(3, "twice")) is Seen.KNOWN
    assert view.on_change(row(1, "before")) is Seen.KNOWN
    assert state.known == {"old", "new"}
    assert view.applied == {0: 3}


def test_a_change_over_a_gap_is_kept_until_the_gap_is_filled(view, state):
    assert view.on_change(row(5, "later")) is Seen.BUFFERED
    assert state.known == {"old"}
    assert view.missing() == {0: 2}
    view.on_change(row(4, "missed"))
    assert view.on_change(row(3, "first")) is Seen.APPLIED
    assert state.known == {"old", "first", "missed", "later"}
    assert view.missing() == {}


def test_a_change_of_several_rows_is_applied_whole_or_not_at_all(view, state):
    assert view.on_change(row(4, "second", part=2, parts=2)) is Seen.BUFFERED
    assert state.known == {"old"}
    assert view.on_change(row(3, "first", part=1, parts=2)) is Seen.APPLIED
    assert state.known == {"old", "first", "second"}
    assert view.applied == {0: 4}


def test_rows_without_things_take_their_place_in_the_sequence(view):
    assert view.on_change(row(3)) is Seen.APPLIED
    assert view.applied == {0: 3}


def test_what_came_before_the_snapshot_is_applied_after_it(state):
    view = JournalView(state, 100)
    assert view.on_change(row(3, "new")) is Seen.BUFFERED
    assert view.on_change(row(1, "past")) is Seen.BUFFERED
    assert view.on_change(row(4, "foreign", epoch="e0")) is Seen.BUFFERED
    assert view.missing() == {}
    view.load(epoch="e1", heads={0: 2}, policy_objects=[policy_object("old")])
    assert state.known == {"old", "new"}
    assert view.applied == {0: 3}


def test_a_late_snapshot_does_not_go_backwards(view, state):
    view.on_change(row(3, "new"))
    assert not view.load(epoch="e1", heads={0: 1}, policy_objects=[policy_object("older")])
    assert state.known == {"old", "new"}
    assert view.applied == {0: 3}


def test_nothing_is_answered_without_a_lease(view):
    assert not view.holds(0.0)


def test_a_lease_holds_for_98_percent_of_its_ttl_from_when_it_was_asked_for(view):
    view.granted(view.ask(1000.0), grant(2))
    assert view.holds(1009.79)
    assert not view.holds(1009.8)


def test_a_lease_that_was_answered_late_is_not_longer_for_that(view):
    ask = view.ask(1000.0)
    view.granted(view.ask(1001.0), grant(2))
    view.granted(ask, grant(2))
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


def test_a_lease_whose_heads_name_an_unknown_shard_does_not_count(view):
    view.granted(view.ask(0.0), Grant(epoch="e1", heads={0: 2, 1: 1}, ttl=10))
    assert not view.holds(0.0)
    assert view.missing() == {1: 0}


def test_a_lease_that_was_asked_for_before_the_snapshot_does_not_count(state):
    view = JournalView(state, 100)
    ask = view.ask(0.0)
    view.load(epoch="e1", heads={0: 9}, policy_objects=[])
    view.granted(ask, grant(2))
    assert not view.holds(0.0)


@pytest.mark.parametrize(
    "answer", [grant(2, epoch="restored"), grant(1), Grant(epoch="e1", heads={}, ttl=10)]
)
def test_another_history_drops_everything(view, state, answer):
    view.granted(view.ask(0.0), grant(2))
    assert not view.granted(view.ask(1.0), answer)
    assert state.known == set()
    assert not view.loaded
    assert not view.holds(1.0)
    assert view.boot == 101, "nothing that was said of the old state may count for the new one"


def test_an_answer_from_before_newer_changes_is_no_history_that_went_back(view):
    ask = view.ask(0.0)
    view.on_change(row(3))
    assert view.granted(ask, grant(2))
    assert view.loaded


def test_an_answer_to_an_earlier_life_is_ignored(view, state):
    ask = view.ask(0.0)
    view.forget()
    view.load(epoch="e2", heads={0: 1}, policy_objects=[])
    assert view.granted(ask, grant(2))
    assert view.loaded
    assert not view.holds(0.0)


def test_a_row_of_another_epoch_is_not_applied(view, state):
    assert view.on_change(row(3, "foreign", epoch="e2")) is Seen.FOREIGN
    assert state.known == {"old"}


def test_forgetting_ends_every_lease_at_once(view):
    view.granted(view.ask(0.0), grant(2))
    view.forget()
    assert not view.holds(0.0)
    assert not view.has(0, 1)
