"""A history that forks is dropped: two rows at one place, a broken chain, another head."""

from dataclasses import replace

import pytest

from shared.following.journal_view import HistoryForked, JournalView, RowOutcome
from shared.following.lease_grants import LeaseGrant
from shared.following.lineage import REMEMBERED_CHANGES
from tests.shared.following.test_journal_view import Names, grant, policy_object, row
from tests.support.chains import digests_at


@pytest.fixture
def state():
    return Names()


@pytest.fixture
def view(state):
    made = JournalView(state)
    made.load(
        epoch="e1", heads={0: 2}, digests=digests_at({0: 2}), policy_objects=[policy_object("old")]
    )
    made.granted(made.ask(0.0), grant(2))
    assert made.holds(0.0)
    return made


def forked(view, state):
    return not view.loaded and not view.holds(0.0) and state.known == set()


def test_two_different_rows_that_wait_for_one_place(view, state):
    view.on_change(row(4, "new"))
    assert view.on_change(row(4, "new")) is RowOutcome.BUFFERED
    with pytest.raises(HistoryForked):
        view.on_change(replace(row(4, "stranger"), digest="other"))
    assert forked(view, state)


def test_another_row_at_the_last_applied_place(view, state):
    view.on_change(row(3, "new"))
    assert view.on_change(row(3, "new")) is RowOutcome.KNOWN
    with pytest.raises(HistoryForked):
        view.on_change(replace(row(3, "stranger"), digest="other"))
    assert forked(view, state)


def test_another_row_at_the_head_of_the_snapshot(view, state):
    with pytest.raises(HistoryForked):
        view.on_change(replace(row(2, "stranger"), digest="other"))
    assert forked(view, state)


def test_a_row_that_does_not_follow_the_last_one(view, state):
    with pytest.raises(HistoryForked):
        view.on_change(replace(row(3, "stranger"), previous="other"))
    assert forked(view, state)


def test_a_change_whose_parts_do_not_follow_each_other_is_not_applied(view, state):
    view.on_change(row(3, "a", part=1, parts=2))
    with pytest.raises(HistoryForked):
        view.on_change(replace(row(4, "stranger", part=2, parts=2), previous="other"))
    assert forked(view, state)
    assert state.puts == []


def test_the_first_row_of_a_shard_follows_nothing(view, state):
    with pytest.raises(HistoryForked):
        view.on_change(replace(row(1, "stranger", shard=5), previous="other"))
    assert forked(view, state)


def test_a_head_with_another_digest_than_the_applied_row(view, state):
    with pytest.raises(HistoryForked):
        view.granted(view.ask(0.0), replace(grant(2), digests={0: "other"}))
    assert forked(view, state)


def test_a_head_that_is_reached_later_with_another_digest(view, state):
    view.granted(view.ask(0.0), replace(grant(3), digests={0: "other"}))
    with pytest.raises(HistoryForked):
        view.on_change(row(3, "stranger"))
    assert forked(view, state)


@pytest.mark.parametrize("answer", [grant(1), LeaseGrant(epoch="e1", heads={}, digests={}, ttl=10)])
def test_a_source_that_has_less_than_was_applied(view, state, answer):
    life = view.life
    with pytest.raises(HistoryForked):
        view.granted(view.ask(0.0), answer)
    assert forked(view, state)
    assert view.life != life, "reports about the old state must not count for the new one"


def test_each_of_two_granted_heads_is_compared_when_it_is_reached(view, state):
    view.granted(view.ask(0.0), replace(grant(3), digests={0: "other"}))
    view.granted(view.ask(0.0), grant(4))
    with pytest.raises(HistoryForked):
        view.on_change(row(3, "stranger"))
    assert forked(view, state)


def test_a_head_that_was_passed_while_the_lease_was_requested(view, state):
    request = view.ask(0.0)
    for seq in (3, 4):
        view.on_change(row(seq, "stranger"))
    with pytest.raises(HistoryForked):
        view.granted(request, replace(grant(3), digests={0: "other"}))
    assert forked(view, state)


def test_a_head_inside_a_change_is_of_another_history(view, state):
    view.granted(view.ask(0.0), grant(3))
    view.on_change(row(3, "a", part=1, parts=2))
    with pytest.raises(HistoryForked):
        view.on_change(row(4, "b", part=2, parts=2))
    assert forked(view, state)


def test_a_head_that_was_passed_too_long_ago_gives_no_lease(view):
    request = view.ask(5.0)
    for seq in range(3, 3 + REMEMBERED_CHANGES):
        view.on_change(row(seq))
    assert view.granted(request, grant(2))
    assert view.ask(5.0).held == pytest.approx(4.8), "only the earlier grant holds"
    assert view.granted(view.ask(5.0), grant(2 + REMEMBERED_CHANGES))
    assert view.holds(14.7)


def test_another_row_at_the_end_of_a_recent_change(view, state):
    view.on_change(row(3, "new"))
    view.on_change(row(4, "newer"))
    with pytest.raises(HistoryForked):
        view.on_change(replace(row(3, "stranger"), digest="other"))
    assert forked(view, state)


def test_two_heads_of_one_sequence_with_different_digests(view, state):
    view.granted(view.ask(0.0), grant(4))
    with pytest.raises(HistoryForked):
        view.granted(view.ask(0.0), replace(grant(4), digests={0: "other"}))
    assert forked(view, state)


def test_a_buffered_row_that_does_not_follow_the_snapshot(state):
    view = JournalView(state)
    view.on_change(replace(row(3, "stranger"), previous="other"))
    with pytest.raises(HistoryForked):
        view.load(epoch="e1", heads={0: 2}, digests=digests_at({0: 2}), policy_objects=[])
    assert forked(view, state)


def test_a_buffered_row_of_another_epoch_does_not_fork(state):
    view = JournalView(state)
    view.on_change(replace(row(3, "past", epoch="e0"), digest="other"))
    assert view.on_change(row(3, "new")) is RowOutcome.BUFFERED
    view.load(epoch="e1", heads={0: 2}, digests=digests_at({0: 2}), policy_objects=[])
    assert state.known == {"new"}


def test_an_empty_head_needs_no_digest(view):
    empty = LeaseGrant(epoch="e1", heads={0: 2, 7: 0}, digests=digests_at({0: 2, 7: 0}), ttl=10)
    assert view.granted(view.ask(0.0), empty)
