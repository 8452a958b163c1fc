"""Which rows get which values, where not every pair is asked.

Rows of one kind run through the same code, and differ by what their models say. A value that only
shared code looks at is therefore asked of some rows of each kind, and each row gets other values.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from deploy.gateway.paths import public_routes
from shared.http.routes import Route
from tests.pairing import pairs

V = TypeVar("V")

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


def row_pairs(rows: Iterable[Route], values: Iterable[V]) -> Iterator[tuple[Route, V]]:
    """Pairs of a row and a value, where each row can have each."""
    known = list(values)
    return pairs(rows, lambda _: known, kind=kind_of)
