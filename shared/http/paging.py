"""Which part of a list does a page show, and where does the next one begin?"""

import base64
import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import Field

from shared.http.routes import Answer, Body
from shared.problems import Invalid

RowT = TypeVar("RowT")
ItemT = TypeVar("ItemT", bound=Answer)

Key = tuple[str, str]
"""What a list is sorted by: a value, and an id that makes the order total."""


class PageQuery(Body):
    """`cursor` is what the page before gave as `next_cursor`."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=1_000)


class Page(Answer, Generic[ItemT]):
    """A page of a list; `next_cursor` is null on the last one."""

    items: list[ItemT]
    next_cursor: str | None


class Order(StrEnum):
    """Which end of a list comes first."""

    ASCENDING = "ascending"
    DESCENDING = "descending"


def paged(
    rows: Iterable[RowT],
    query: PageQuery,
    *,
    key: Callable[[RowT], Key],
    order: Order = Order.ASCENDING,
) -> tuple[list[RowT], str | None]:
    """The rows of the page, and the cursor of the next; a row that comes or goes moves no other.

    Raises:
        Invalid: the cursor is none of this list.
    """
    backwards = order is Order.DESCENDING
    left = sorted(rows, key=key, reverse=backwards)
    if query.cursor is not None:
        last = _read(query.cursor)
        left = [row for row in left if (key(row) < last if backwards else key(row) > last)]
    page = left[: query.limit]
    return page, _write(key(page[-1])) if len(left) > len(page) else None


def _write(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _read(cursor: str) -> Key:
    try:
        value, identity = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError) as problem:
        raise Invalid(errors=[("/query/cursor", "is no cursor of this list")]) from problem
    return str(value), str(identity)
