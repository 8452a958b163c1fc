"""Pages of the list of members and invitations, each read in the order of an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime, timedelta
from typing import Any

from services.team.domain.member_list import MemberListField, MemberListQuery, parse_moment
from shared.mongo import Collection, Document

KNOWN_ENDS = 1_000
"""The pages of a collection whose ends are remembered."""

LAST_CHARACTER = "\U0010ffff"
_MILLISECOND = timedelta(milliseconds=1)
_TIMES = frozenset({MemberListField.SINCE, MemberListField.LAST_ACTIVE})


@dataclass(frozen=True)
class Part:
    """A part of a list: its rows stand in the order of `field`, or all have the one `value`."""

    field: str | None = None
    value: str = ""
    key: Document = dataclass_field(default_factory=dict)
    """What its rows have in common, in the order of an index."""
    wanted: Document = dataclass_field(default_factory=dict)
    """What its rows have in common, beside the index."""


class PageEnds:
    """The value of the last row of each full page, as it was when the page was read last.

    It is a hint. Where at least a page of rows stands between the start of a page and its old end,
    the first of them are the page, also after changes.
    """

    def __init__(self, *, most: int = KNOWN_ENDS) -> None:
        self._most = most
        self._ends: dict[tuple[Any, ...], Any] = {}

    def known(self, begin: Document, query: MemberListQuery) -> Any | None:
        """The value at the end of the page; `None` if it is not known."""
        return self._ends.get(_page_of(begin, query))

    def note(self, begin: Document, query: MemberListQuery, value: Any) -> None:
        """Remember the value at the end of the page, and forget the oldest one of too many."""
        page = _page_of(begin, query)
        self._ends.pop(page, None)
        self._ends[page] = value
        if len(self._ends) > self._most:
            del self._ends[next(iter(self._ends))]


class ListPages:
    """Reads pages of one collection, whose rows of equal value stand in the order of `key`.

    MongoDB walks an index and stops after the page. SecantusDB reads and sorts all that the first
    stage finds, by an index if its fields are those of the index. A page whose end is known is
    therefore bounded on both sides
    (`docs/decisions/0046-writes-and-pages-cost-few-statements.md`).
    """

    def __init__(self, collection: Collection, *, key: str) -> None:
        self._collection = collection
        self._key = key
        self._ends = PageEnds()

    async def read(
        self,
        begin: Document,
        wanted: Sequence[Document],
        parts: Sequence[Part],
        query: MemberListQuery,
    ) -> list[Document]:
        """Read part after part until the page is full; `begin` is what every index begins with."""
        rows: list[Document] = []
        for part in reversed(parts) if query.descending else parts:
            rest = _after(part, query, key=self._key)
            if rest is None:
                continue
            bound, others = rest
            filters = [one for one in (*wanted, part.wanted, others) if one]
            first = {**begin, **part.key}
            if part.field is None:
                rows += await self._rows(
                    [first | bound, *filters], {}, query, limit=query.limit - len(rows)
                )
            else:
                rows += await self._ordered(first, part.field, bound, filters, query)
            if len(rows) >= query.limit:
                break
        return rows

    async def _ordered(
        self,
        first: Document,
        field: str,
        bound: Document,
        filters: Sequence[Document],
        query: MemberListQuery,
    ) -> list[Document]:
        """Read the rows in the order of a field, at first up to the known end of the page."""
        order = {field: _direction(query)}
        rows: list[Document] = []
        end = self._ends.known(first, query)
        if end is not None:
            until = {"$gte": end} if query.descending else {"$lt": _beyond(end)}
            bounded = first | {field: {**bound.get(field, {}), **until}}
            rows = await self._rows([bounded, *filters], order, query, limit=query.limit)
        if len(rows) < query.limit:
            rows = await self._rows([first | bound, *filters], order, query, limit=query.limit)
        if len(rows) == query.limit:
            self._ends.note(first, query, rows[-1][field])
        return rows

    async def _rows(
        self, filters: Sequence[Document], order: Document, query: MemberListQuery, *, limit: int
    ) -> list[Document]:
        """The first rows that match each of the filters; MongoDB takes these for one."""
        stages: list[Document] = [
            *({"$match": one} for one in filters),
            {"$sort": {**order, self._key: _direction(query)}},
            {"$limit": limit},
        ]
        return await self._collection.aggregate(stages).to_list(limit)


def _direction(query: MemberListQuery) -> int:
    return -1 if query.descending else 1


def _page_of(begin: Document, query: MemberListQuery) -> tuple[Any, ...]:
    """What a page is known by."""
    return (
        *begin.values(),
        query.field,
        query.descending,
        query.limit,
        query.text,
        query.status,
        query.role,
        query.after,
    )


def _after(part: Part, query: MemberListQuery, *, key: str) -> tuple[Document, Document] | None:
    """Where the rows of a part after the query's place begin; `None` if there are none.

    The first filter is a range of the index, the second takes away what was on an earlier page.
    """
    if query.after is None:
        return {}, {}
    value, identity = query.after
    beyond = "$lt" if query.descending else "$gt"
    if part.field is None:
        if part.value == value:
            return {}, {key: {beyond: identity}}
        return ({}, {}) if (part.value < value) is query.descending else None
    if query.field in _TIMES and not value:
        # Only rows of the other collection have no value; they stand before all that have one.
        return None if query.descending else ({}, {})
    bound: Any = parse_moment(value) if query.field in _TIMES else value
    same_or_later = [{part.field: {beyond: bound}}, {part.field: bound, key: {beyond: identity}}]
    from_there = {"$lt": _beyond(bound)} if query.descending else {"$gte": bound}
    return {part.field: from_there}, {"$or": same_or_later}


def _beyond(value: Any) -> Any:
    """A value that comes after all rows with this one.

    SecantusDB does not find the rows that equal an inclusive upper bound when the index has a
    further field.
    """
    return value + _MILLISECOND if isinstance(value, datetime) else f"{value}{LAST_CHARACTER}"
