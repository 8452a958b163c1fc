"""The Mann-Whitney U test, for two samples of at least eight numbers."""

from collections import Counter
from collections.abc import Sequence
from math import erfc, sqrt


def same_place(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p of samples whose values have the same place (Mann and Whitney, 1947).

    By the normal approximation, with the corrections for ties and for continuity. The p is 1 if all
    values are equal, and if a sample has none.
    """
    if not first or not second:
        return 1.0
    ranks: dict[float, float] = {}
    before = 0
    counts = Counter([*first, *second])
    for value, count in sorted(counts.items()):
        ranks[value] = before + (count + 1) / 2
        before += count
    one, other, both = len(first), len(second), len(first) + len(second)
    u = sum(ranks[value] for value in first) - one * (one + 1) / 2
    ties = sum(count**3 - count for count in counts.values()) / (both * (both - 1))
    spread = sqrt(one * other / 12 * (both + 1 - ties))
    if spread == 0:
        return 1.0
    z = max(0.0, abs(u - one * other / 2) - 0.5) / spread
    return erfc(z / sqrt(2))
