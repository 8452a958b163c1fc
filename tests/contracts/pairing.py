"""Which rows get which values: every pair in a soak, a share of the pairs otherwise.

Rows of one kind run through the same code, and differ by what their models say. A value that only
shared code looks at is therefore asked of some rows of each kind, and each row gets other values.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from deploy.gateway.paths import public_routes
from shared.http.routes import Route
from tests.lengths import length

T = TypeVar("T")
V = TypeVar("V")

ONE_PAIR_IN = length("ONE_PAIR_IN", short=4, soak=1)
_SERVICES = {row.operation_id: name for name, rows in public_routes().items() for row in rows}


def kind_of(row: Route) -> Hashable:
    """What decides the code that a request of the row runs through before its handler."""
    return (
        _SERVICES[row.operation_id],
        type(row.access),
        row.strictness,
        row.media,
        row.errors,
        row.takes is None,
        row.method == "GET",
    )


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


def row_pairs(rows: Iterable[Route], values: Iterable[V]) -> Iterator[tuple[Route, V]]:
    """Pairs of a row and a value, where each row can have each."""
    known = list(values)
    return pairs(rows, lambda _: known, kind=kind_of)
