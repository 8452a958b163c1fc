"""Pages of lists, and the cursors that lead from one page to the next.

A cursor holds the key of the last row of its page, and a digest of the list, its sort and its
filters. Under others it is refused: it would skip rows or show them twice.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any, Generic, TypeVar

from pydantic import Field

from rolecall.client.jwk import decode, encode
from shared.http.refusals import MalformedJson
from shared.http.routes import Answer, Body, Call
from shared.http.strict_json import loads
from shared.problems import Invalid

MAX_PAGE_ROWS = 200
MAX_CURSOR_CHARACTERS = 2_000
"""Longer than the longest key of a list: 100 characters of a name, case-folded, and an id."""
DIGEST_BYTES = 12

RowT = TypeVar("RowT")
ItemT = TypeVar("ItemT", bound=Answer)

Key = tuple[str, str]
"""What a list is sorted by: a value, and an id that makes the order total."""


class PageQuery(Body):
    """The query of a list; `cursor` is the `next_cursor` of the page before."""

    limit: int = Field(default=50, ge=1, le=MAX_PAGE_ROWS, description="The most items of the page")
    cursor: str | None = Field(
        default=None,
        max_length=MAX_CURSOR_CHARACTERS,
        description="The `next_cursor` of the page before",
    )


class Page(Answer, Generic[ItemT]):
    """A page of a list; `next_cursor` is null on the last one."""

    items: list[ItemT]
    next_cursor: str | None


class Order(StrEnum):
    """The end of a list that comes first."""

    ASCENDING = "ascending"
    DESCENDING = "descending"


ListCall = Call[Any, Any]
"""A call whose query is a `PageQuery`. A list that is asked for with a body depends on it, too."""


def paged(
    rows: Iterable[RowT],
    call: ListCall,
    *,
    key: Callable[[RowT], Key],
    order: Order = Order.ASCENDING,
) -> tuple[list[RowT], str | None]:
    """The rows of the page that `call` asks for, and the cursor of the next page.

    Rows that are added or removed between two pages do not move the others.

    Raises:
        Invalid: as `read_cursor` does.
    """
    backwards = order is Order.DESCENDING
    left = sorted(rows, key=key, reverse=backwards)
    last = read_cursor(call)
    if last is not None:
        left = [row for row in left if (key(row) < last if backwards else key(row) > last)]
    page = left[: call.query.limit]
    return page, write_cursor(call, key(page[-1])) if len(left) > len(page) else None


def write_cursor(call: ListCall, key: Key) -> str:
    """The cursor of the page after the row with this key, for the list that `call` asks for."""
    content = json.dumps([_digest(call), *key], ensure_ascii=False, separators=(",", ":"))
    return encode(content.encode())


def read_cursor(call: ListCall) -> Key | None:
    """The key of the last row of the page before; None on the first page.

    Raises:
        Invalid: the cursor was made for another list, sort or filter, or is not a cursor at all.
    """
    cursor = call.query.cursor
    if cursor is None:
        return None
    try:
        content = loads(decode(cursor))
    except (ValueError, MalformedJson):
        raise not_a_cursor() from None
    match content:
        case [str(digest), str(value), str(identity)]:
            if digest != _digest(call):
                raise _refused(_OF_ANOTHER_LIST)
            return value, identity
        case _:
            raise not_a_cursor()


def _digest(call: ListCall) -> str:
    filters: Mapping[str, Any] = call.query.model_dump(mode="json", exclude={"limit", "cursor"})
    if call.body is not None:
        filters = {**filters, "body": call.body.model_dump(mode="json")}
    asked = json.dumps([call.route.operation_id, dict(call.path), filters], sort_keys=True)
    return encode(sha256(asked.encode()).digest()[:DIGEST_BYTES])


def not_a_cursor() -> Invalid:
    """The refusal of a cursor whose content no page of the list gave."""
    return _refused(_NOT_A_CURSOR)


def _refused(message: str) -> Invalid:
    return Invalid(errors=[("/query/cursor", message)])


_NOT_A_CURSOR = "This is not a cursor of this list. Start again without a cursor."
_OF_ANOTHER_LIST = (
    "This cursor was made for another list, sort or filter. Start again without a cursor."
)
