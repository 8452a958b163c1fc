"""The barrier: the replicas that it waits for, and how long."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.leases.barrier import Barrier, How, LeaseId, LeaseRow
from shared.leases.store import succeeding
from tests.support.chains import digest_at, digests_at

SHARD, SEQ, EPOCH = 3, 10, "e1"


def lease(replica: str) -> LeaseId:
    return LeaseId(f"authz/{replica}/1")


def row(replica: str, applied: int | Mapping[int, int] = 0, **fields: Any) -> LeaseRow:
    applied = {SHARD: applied} if isinstance(applied, int) else applied
    made = LeaseRow(
        id=lease(replica),
        asked=1,
        renewal="r",
        ttl=3.0,
        epoch=EPOCH,
        applied=applied,
        digests=digests_at(applied),
    )
    return replace(made, **fields)


def barrier(*rows: LeaseRow, concerned: frozenset[int] | None = None) -> Barrier:
    started = Barrier(EPOCH, SHARD, SEQ, digest_at(SHARD, SEQ), concerned)
    started.start(rows, 0.001)
    return started


def how(waited: Barrier) -> dict[str, How]:
    return {settled.replica: settled.how for settled in waited.settled}


def test_without_replicas_the_barrier_does_not_wait():
    assert barrier().done


@pytest.mark.parametrize(
    ("lease", "waits"),
    [
        (row("a", SEQ), False),
        (row("a", SEQ - 1), True),
        (row("a", {}), True),
        (row("a", {SHARD + 1: SEQ}), True),
        (row("a", SEQ, epoch="another"), True),
        (row("a", SEQ, epoch=None), True),
    ],
)
def test_only_the_change_itself_in_its_epoch_and_shard_counts_as_applied(lease, waits):
    assert barrier(lease).done is not waits


def test_a_replica_ahead_counts_when_its_last_row_is_the_journals():
    waited = barrier(row("a", SEQ + 5), row("b", SEQ + 2), row("c", SEQ))
    assert waited.waiting == {lease("a"), lease("b")}
    assert waited.ahead == {SEQ + 5, SEQ + 2}
    waited.learn({SEQ + 5: digest_at(SHARD, SEQ + 5)}, 0.1)
    assert waited.waiting == {lease("b")}, "the journal has no such row yet"
    assert waited.ahead == {SEQ + 2}


@pytest.mark.parametrize("digests", [{SHARD: "other"}, {SHARD + 1: digest_at(SHARD, SEQ)}, {}])
@pytest.mark.parametrize("last", [SEQ, SEQ + 5])
@pytest.mark.parametrize("journal", [{SEQ + 5: digest_at(SHARD, SEQ + 5)}, {}])
def test_the_same_sequence_on_another_history_never_counts(last, digests, journal):
    """An earlier version of authz reports no digests."""
    elsewhere = row("a", last, digests=digests)
    waited = barrier(elsewhere)
    waited.learn(journal, 0.1)
    waited.hear(elsewhere, 0.1)
    waited.learn(journal, 0.2)
    waited.see([elsewhere], 0.2)
    assert waited.waiting == {lease("a")}
    assert waited.expire(3.3) == (elsewhere,)


def test_a_later_read_or_a_push_ends_the_waiting_for_each_replica():
    waited = barrier(row("a"), row("b"))
    waited.see([row("a", SEQ), row("b")], 0.02)
    assert waited.waiting == {lease("b")}
    waited.hear(row("b", SEQ), 0.03)
    assert waited.done
    assert [(settled.replica, settled.how, settled.at_ms) for settled in waited.settled] == [
        ("authz/a", How.APPLIED, 20.0),
        ("authz/b", How.APPLIED, 30.0),
    ]


def test_a_report_of_another_life_settles_nothing():
    waited = barrier(row("a"))
    waited.hear(row("a", SEQ, id=LeaseId("authz/a/2")), 0.1)
    waited.see([row("a"), row("a", SEQ, id=LeaseId("authz/a/2"))], 0.1)
    assert waited.waiting == {lease("a")}


def test_a_row_that_went_or_was_released_is_not_waited_for():
    waited = barrier(row("gone"), row("released"))
    waited.see([row("released", released=True, ttl=0.0)], 0.1)
    assert how(waited) == {"authz/gone": How.ENDED, "authz/released": How.ENDED}


def test_a_row_that_was_released_before_is_not_waited_for():
    assert barrier(row("released", released=True, ttl=0.0)).done


def test_two_lives_of_one_slot_are_both_waited_for_and_named_apart():
    lives = [LeaseId(f"authz/a/{letter * 32}") for letter in "bc"]
    waited = barrier(*(row("a", id=life) for life in lives), row("d", SEQ))
    waited.hear(row("a", SEQ, id=lives[0]), 0.1)
    assert waited.waiting == {lives[1]}
    waited.see([row("d", SEQ)], 0.2)
    assert how(waited) == {
        "authz/d": How.APPLIED,
        "authz/a/bbbbbbbb": How.APPLIED,
        "authz/a/cccccccc": How.ENDED,
    }


def test_a_row_of_an_earlier_version_is_waited_for_until_it_runs_out():
    waited = barrier(row("x", id=LeaseId("host:8080"), ttl=3.0))
    assert waited.expire(3.2) == ()
    assert [silent.id for silent in waited.expire(3.21)] == ["host:8080"]
    assert how(waited) == {"host:8080": How.LAPSED}


def test_a_row_that_came_after_the_commit_is_not_waited_for():
    waited = barrier(row("a"))
    waited.see([row("a", SEQ), row("late")], 0.1)
    assert waited.done
    assert how(waited) == {"authz/a": How.APPLIED}


def test_silent_replicas_lapse_after_the_longest_lease_and_the_margin():
    waited = barrier(row("a", ttl=3.0), row("b", ttl=5.0))
    assert waited.expire(5.2) == ()
    assert waited.waiting == {lease("a"), lease("b")}
    assert {silent.id for silent in waited.expire(5.21)} == {lease("a"), lease("b")}
    assert how(waited) == {"authz/a": How.LAPSED, "authz/b": How.LAPSED}


def test_a_row_first_read_late_is_not_deleted_while_its_lease_may_hold():
    late = Barrier(EPOCH, SHARD, SEQ, digest_at(SHARD, SEQ))
    late.start([row("a", ttl=3.0)], 2.0)  # perhaps renewed just before
    assert late.expire(5.19) == ()
    assert [silent.id for silent in late.expire(5.21)] == [lease("a")]


def test_the_row_to_delete_is_the_one_that_was_seen_first():
    waited = barrier(row("a", renewal="first"))
    waited.see([row("a", renewal="second")], 1)
    assert [silent.renewal for silent in waited.expire(9)] == ["first"]


@pytest.mark.parametrize(
    ("shards", "concerned", "waits"),
    [
        (None, {SHARD}, True),
        ({SHARD}, {SHARD}, True),
        ({SHARD, 9}, {SHARD, 8}, True),
        ({8}, {SHARD, 8}, True),
        ({9}, {SHARD, 8}, False),
        (set(), {SHARD}, False),
        ({9}, None, True),
    ],
)
def test_a_change_waits_for_each_life_that_may_decide_by_it(shards, concerned, waits):
    """A life holds accounts of its shards; a change that concerns all is awaited by all."""
    held, about = (None if each is None else frozenset(each) for each in (shards, concerned))
    assert barrier(row("a", shards=held), concerned=about).done is not waits


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [({1}, {1}, {1}), ({1}, {2}, {1, 2}), (None, {1}, None), ({1}, None, None)],
)
def test_a_life_that_held_other_shards_is_awaited_for_both(first, second, kept):
    """A row without shards is of an earlier version, or was written by one."""
    first, second, kept = (
        None if each is None else frozenset(each) for each in (first, second, kept)
    )
    before, after = row("a", shards=first), row("a", shards=second, asked=2)
    assert succeeding(after, before).shards == kept
    assert succeeding(before, after) == after
