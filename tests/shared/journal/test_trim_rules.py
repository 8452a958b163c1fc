"""Which rows of a journal may be deleted, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.topology import SOURCES, Service, consumers_of
from shared.journal.trim_rules import (
    FRESH,
    Confirmation,
    RowAge,
    confirmed_place,
    former_epoch_is_over,
    trimmed_place,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=7)
OLD, YOUNG = BEFORE - timedelta(seconds=1), BEFORE


def said(
    *, epoch: str | None = "e2", age: timedelta = FRESH, holds: frozenset[str] = frozenset()
) -> Confirmation:
    return Confirmation(
        consumer="audit", epoch=epoch, places={3: 5}, holds=holds, missed=0, at=NOW - age
    )


@pytest.mark.parametrize(
    ("told", "shard", "head", "place"),
    [
        (said(), 3, 9, 5),
        (said(), 3, 5, 5),
        (said(), 4, 9, 0),
        (None, 3, 9, 0),
        (said(epoch="e1"), 3, 9, 0),
        (said(epoch=None), 3, 9, 0),
        (said(age=FRESH + timedelta(seconds=1)), 3, 9, 0),
        (said(holds=frozenset({"e1"})), 3, 9, 5),
        (said(holds=frozenset({"e2"})), 3, 9, 0),
        (said(), 3, 4, 0),
    ],
    ids=[
        "as-told",
        "the-head",
        "another-shard",
        "never-told",
        "another-epoch",
        "nothing-followed",
        "told-long-ago",
        "another-epoch-held",
        "held",
        "more-than-there-is",
    ],
)
def test_a_confirmation_counts_for_what_it_names(
    told: Confirmation | None, shard: int, head: int, place: int
) -> None:
    assert confirmed_place(told, epoch="e2", shard=shard, head=head, now=NOW) == place


@pytest.mark.parametrize(
    ("rows", "confirmed", "place"),
    [
        ("ooooo", 99, 6),
        ("ooooo", 4, 4),
        ("ooooo", 2, 2),
        ("oooyy", 99, 4),
        ("ooyoo", 99, 3),
        ("yoooo", 99, 2),
        ("ouooo", 99, 3),
        ("uoooo", 99, 2),
        ("oo-oo", 99, 3),
        ("-oooo", 99, 2),
        ("o", 99, 2),
        ("", 99, 2),
    ],
)
def test_rows_go_from_the_beginning_on_up_to_the_first_that_stays(
    rows: str, confirmed: int, place: int
) -> None:
    """Row 3 is the first: o is old and sent, y young, u unsent, - a hole."""
    found = [
        RowAge(seq, kind != "u", YOUNG if kind == "y" else OLD)
        for seq, kind in enumerate(rows, start=3)
        if kind != "-"
    ]
    assert trimmed_place(found, after=2, confirmed=confirmed, before=BEFORE) == place


@pytest.mark.parametrize(
    ("epoch", "told", "ended_at", "over"),
    [
        ("e1", [said(), said()], OLD, True),
        ("e1", [said(epoch="e1b"), said()], OLD, True),
        ("e1b", [said(epoch="e1b"), said()], OLD, False),
        ("e1b", [said(epoch="e1"), said()], OLD, False),
        ("e1", [said(), said(epoch="e0")], OLD, False),
        ("e1", [said(), None], OLD, False),
        ("e1", [said(), said(epoch=None)], OLD, False),
        ("e1", [said(), said(age=2 * FRESH)], OLD, False),
        ("e1", [said(), said(holds=frozenset({"e1"}))], OLD, False),
        ("e1", [said(), said(holds=frozenset({"e0"}))], OLD, True),
        ("e1", [said(), said()], YOUNG, False),
    ],
)
def test_a_former_epoch_goes_when_every_consumer_has_left_it(
    epoch: str, told: list[Confirmation | None], ended_at: datetime, *, over: bool
) -> None:
    assert over is former_epoch_is_over(
        epoch, ["e0", "e1", "e1b"], told, ended_at=ended_at, before=BEFORE, now=NOW
    )


def test_each_source_waits_for_every_service_that_stores_its_facts() -> None:
    consumers = {str(source): set(map(str, consumers_of(source))) for source in SOURCES}
    assert consumers == {
        Service.IDENTITY: {"team", "notification", "audit"},
        Service.TEAM: {"identity", "notification", "audit"},
        Service.NOTIFICATION: {"team", "notification", "audit"},
        Service.AUDIT: {"notification", "audit"},
    }
