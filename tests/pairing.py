"""Which things get which values: every pair in a soak, a share of the pairs otherwise."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from tests.lengths import length

T = TypeVar("T")
V = TypeVar("V")

ONE_PAIR_IN = length("ONE_PAIR_IN", short=4, soak=1)


def pairs(
    things: Iterable[T],
    values: Callable[[T], Iterable[V]],
    *,
    kind: Callable[[T], Hashable],
    one_in: int = ONE_PAIR_IN,
) -> Iterator[tuple[T, V]]:
    """Pairs of a thing and one of its values.

    Of each kind one pair in `one_in` is given, so that neighbours have different values. A kind
    with fewer things gives each value to one of them at least.
    """
    chosen = list(things)
    sizes = Counter(map(kind, chosen))
    places: Counter[Hashable] = Counter()
    for thing in chosen:
        of = kind(thing)
        step = min(one_in, sizes[of])
        for number, value in enumerate(values(thing)):
            if (number + places[of]) % step == 0:
                yield thing, value
        places[of] += 1


def one_of(values: Sequence[V], turn: int) -> Sequence[V]:
    """Values of which one shows as much as another: all in a soak, otherwise each in its turn."""
    return values if ONE_PAIR_IN == 1 else [values[turn % len(values)]]
