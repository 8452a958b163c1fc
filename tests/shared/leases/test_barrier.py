"""The barrier: the replicas that it waits for, and how long."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.leases.barrier import Barrier, How, LeaseRow

SHARD, SEQ, EPOCH = 3, 10, "e1"


def row(replica: str, applied: int | Mapping[int, int] = 0, **fields: Any) -> LeaseRow:
    lease = LeaseRow(
        replica=replica,
        boot=1,
        asked=1,
        renewal="r",
        ttl=3.0,
        epoch=EPOCH,
        applied={SHARD: applied} if isinstance(applied, int) else applied,
    )
    return replace(lease, **fields)


def barrier(*rows: LeaseRow) -> Barrier:
    started = Barrier(EPOCH, SHARD, SEQ)
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
        (row("a", SEQ + 5), False),
        (row("a", SEQ - 1), True),
        (row("a", {}), True),
        (row("a", {SHARD + 1: SEQ}), True),
        (row("a", SEQ, epoch="another"), True),
        (row("a", SEQ, epoch=None), True),
    ],
)
def test_only_the_change_itself_in_its_epoch_and_shard_counts_as_applied(lease, waits):
    assert barrier(lease).done is not waits


def test_a_later_read_or_a_push_ends_the_waiting_for_each_replica():
    waited = barrier(row("a"), row("b"))
    waited.see([row("a", SEQ), row("b")], 0.02)
    assert waited.waiting == {"b"}
    waited.hear("b", 1, EPOCH, {SHARD: SEQ}, 0.03)
    assert waited.done
    assert [(settled.replica, settled.how, settled.at_ms) for settled in waited.settled] == [
        ("a", How.APPLIED, 20.0),
        ("b", How.APPLIED, 30.0),
    ]


def test_a_report_of_another_boot_settles_nothing():
    waited = barrier(row("a", boot=2))
    waited.hear("a", 1, EPOCH, {SHARD: SEQ}, 0.1)
    waited.hear("a", 3, EPOCH, {SHARD: SEQ}, 0.1)
    assert waited.waiting == {"a"}


def test_a_row_that_went_or_that_a_new_boot_replaced_is_not_waited_for():
    waited = barrier(row("gone"), row("again"))
    waited.see([row("again", boot=2)], 0.1)
    assert how(waited) == {"gone": How.ENDED, "again": How.ENDED}


def test_a_row_that_came_after_the_commit_is_not_waited_for():
    waited = barrier(row("a"))
    waited.see([row("a", SEQ), row("late")], 0.1)
    assert waited.done
    assert how(waited) == {"a": How.APPLIED}


def test_silent_replicas_lapse_after_the_longest_lease_and_the_margin():
    waited = barrier(row("a", ttl=3.0), row("b", ttl=5.0))
    assert waited.expire(5.2) == ()
    assert waited.waiting == {"a", "b"}
    assert {silent.replica for silent in waited.expire(5.21)} == {"a", "b"}
    assert how(waited) == {"a": How.LAPSED, "b": How.LAPSED}


def test_a_row_first_read_late_is_not_deleted_while_its_lease_may_hold():
    late = Barrier(EPOCH, SHARD, SEQ)
    late.start([row("a", ttl=3.0)], 2.0)  # perhaps renewed just before
    assert late.expire(5.19) == ()
    assert [silent.replica for silent in late.expire(5.21)] == ["a"]


def test_the_row_to_delete_is_the_one_that_was_seen_first():
    waited = barrier(row("a", renewal="first"))
    waited.see([row("a", renewal="second")], 1)
    assert [silent.renewal for silent in waited.expire(9)] == ["first"]
