"""How does a fact name many things and stay small?"""

from collections.abc import Sequence

LISTED = 1000
"""A catalog may allow more members than a row of the journal can name."""


def listed(ids: Sequence[str]) -> list[str]:
    """The ids in order; of very many only the first, and then how many more there are."""
    shown = sorted(ids)
    more = len(shown) - LISTED
    return shown if more <= 0 else [*shown[:LISTED], f"and {more} more"]
