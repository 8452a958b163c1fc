"""Shorten long lists of ids in facts."""

from collections.abc import Sequence

MAX_IDS = 1000
"""A catalog may allow more members than a row of the journal can name."""


def truncated_ids(ids: Sequence[str]) -> list[str]:
    """The ids in order, `MAX_IDS` at most, and then how many more there are."""
    shown = sorted(ids)
    more = len(shown) - MAX_IDS
    return shown if more <= 0 else [*shown[:MAX_IDS], f"and {more} more"]
