"""Pages of SecantusDB: a page of a sorted list is read from an index, and no further than needed.

SecantusDB itself reads every document of the list before it takes a page from it. If the list has
a further filter, it reads the whole collection or all that has the first filter. With a hint it
reads the whole index.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Self

import wiredtiger
from bson.raw_bson import RawBSONDocument
from secantus import deadline, storage
from secantus.query import matches
from secantus.sortkey import COMPOUND_SEP, encode_value
from secantus.storage import (
    _ENTRY_SEP,
    _IDX_ENTRIES_TABLE,
    _doc_table_for,
    _escape_kb,
    _unframe_doc_value,
    _unpack_entry,
)

RANGE_BOUNDS = {"$gt", "$gte", "$lt", "$lte"}
MOST_RANGES = 200
"""The ranges of one page: one for each combination of alternative values."""
HIGHEST = b"\xff" * 9
"""It sorts after what follows a prefix in an index, and after the number of each document."""


@dataclass(frozen=True)
class IndexPage:
    """A part of a list that is sorted by one field, as `find` asks for it."""

    query: Mapping[str, Any]
    field: str
    newest_first: bool
    documents: int
    """The number of documents that are needed, from the first one of the list on."""
    variables: Mapping[str, Any] | None
    """What the query may name: the time, for one."""

    @classmethod
    def asked(
        cls, query: Mapping[str, Any] | None, options: Mapping[str, Any], *, documents: int
    ) -> Self | None:
        """Return the page that these options of `find` ask for, if they do."""
        sort = options.get("sort") or {}
        if not query or len(sort) != 1 or any(map(options.get, ("collation", "min_bound"))):
            return None
        [(field, direction)] = sort.items()
        if direction not in (1, -1) or not documents:
            return None
        return cls(query, field, direction == -1, documents, options.get("let"))

    def ranges(self, fields: list[str]) -> list[bytes] | None:
        """Return the beginnings of the entries of an index with these fields that can fit.

        The page cannot be read from other indexes than one whose last field sorts the page, and
        whose other fields have one of some values.
        """
        *equal, last = fields
        bounds = self.query.get(last)
        if last != self.field or not equal or not isinstance(bounds, Mapping):
            return None
        if not bounds or not set(bounds) <= RANGE_BOUNDS or not _plain(*bounds.values()):
            return None
        given = [_alternatives(self.query.get(field)) for field in equal]
        found = list(islice(product(*given), MOST_RANGES + 1))
        if not found or len(found) > MOST_RANGES:
            return None
        return [b"".join(encode_value(value) + COMPOUND_SEP for value in each) for each in found]

    def undecided(self, fields: list[str]) -> dict[str, Any]:
        """Return the clauses that the ranges of an index with these fields leave open."""
        decided = {*fields[:-1], *([self.field] if self.bounded else [])}
        return {name: clause for name, clause in self.query.items() if name not in decided}

    @property
    def bounded(self) -> bool:
        """Whether each entry between the bounds has a value that the query takes.

        Values of other types are beyond one bound alone.
        """
        bounds = self.query[self.field]
        two = len(bounds) == 2 and {operator[:3] for operator in bounds} == {"$gt", "$lt"}
        return two and len({type(value) for value in bounds.values()}) == 1


def _alternatives(clause: Any) -> list[Any]:
    """Return the values of a clause that names one or several; none for any other clause."""
    if isinstance(clause, Mapping):
        values = clause.get("$in") if set(clause) == {"$in"} else None
        return list(dict.fromkeys(values)) if values and _plain(*values) else []
    return [clause] if _plain(clause) else []


def _plain(*values: Any) -> bool:
    """Return whether the entries of these values are sorted as the values are."""
    return all(type(value) in {str, int} for value in values)


class Pages(storage.Storage):  # type: ignore[misc]
    """SecantusDB's storage, with pages of lists."""

    def find_matching(
        self,
        db: str,
        coll: str,
        filter: dict[str, Any] | None = None,  # noqa: A002 - the name that callers use
        *,
        skip: int = 0,
        limit: int = 0,
        **options: Any,
    ) -> Any:
        """Find documents; of a page, only as many as it needs are looked at."""
        page = IndexPage.asked(filter, options, documents=limit and skip + limit)
        whole = None if page is None else self._whole_page(db, coll, page, options)
        if whole is not None:
            return whole[skip:]
        self._tls.page = page
        try:
            return super().find_matching(db, coll, filter, skip=skip, limit=limit, **options)
        finally:
            self._tls.page = None

    def _whole_page(
        self, db: str, coll: str, page: IndexPage, options: Mapping[str, Any]
    ) -> list[RawBSONDocument] | None:
        """Return the bytes of a page that one range of a named index decides alone.

        The documents are not looked at: neither decoded, nor compared, nor encoded again.
        """
        name = options.get("hint")
        if type(name) is not str or any(map(options.get, ("projection", "max_bound"))):
            return None
        self._refresh_read_snapshot()
        with self._lock:
            fields = self._indexes_of(db, coll, page).get(name, [""])
            ranges = page.ranges(fields)
            if ranges is None or len(ranges) > 1 or page.undecided(fields):
                return None
            numbers: dict[int, None] = {}
            for number in self._entries(db, coll, name, ranges[0], page):
                numbers[number] = None
                if len(numbers) == page.documents:
                    break
            return [RawBSONDocument(each) for each in self._raw_documents(db, coll, list(numbers))]

    def _raw_documents(self, db: str, coll: str, numbers: list[int]) -> list[bytes]:
        deadline.check()
        cursor = self._cursor_optional(_doc_table_for(db, coll))
        found: list[bytes] = []
        if cursor is None:
            return found
        for number in numbers:
            cursor.reset()
            cursor.set_key(db, coll, number)
            if cursor.search() == 0:
                found.append(_unframe_doc_value(bytes(cursor.get_value()))[1])
        return found

    def _try_index_lookup(self, db: str, coll: str, *clauses: Any, **options: Any) -> Any:
        found = self._page(db, coll)
        if found is None:
            return super()._try_index_lookup(db, coll, *clauses, **options)
        return found[0]

    def _candidates_from_hint(self, db: str, coll: str, hint: str, *sort: Any) -> Any:
        found = self._page(db, coll, hint)
        if found is None:
            return super()._candidates_from_hint(db, coll, hint, *sort)
        return found

    def _page(self, db: str, coll: str, hint: str = "") -> tuple[list[Any], bool] | None:
        """Return the documents of the page that this thread reads, or `None` if no index has it.

        They are still to be cut: each range gives as many as the page needs. Those of one range are
        sorted, which is said with them.
        """
        page: IndexPage | None = getattr(self._tls, "page", None)
        if page is None:
            return None
        indexes = self._indexes_of(db, coll, page)
        for name in [hint] if hint else sorted(indexes, key=lambda each: -len(indexes[each])):
            ranges = page.ranges(indexes.get(name, [""]))
            if ranges is not None:
                seen: set[int] = set()
                found = [
                    document
                    for prefix in ranges
                    for document in self._first_of(
                        db, coll, name, indexes[name], prefix, page, seen
                    )
                ]
                return found, len(ranges) == 1
        return None

    def _indexes_of(self, db: str, coll: str, page: IndexPage) -> dict[str, list[str]]:
        """Return the fields of the indexes by which this page may be read.

        An index of arrays has the order of the page only if the field that sorts it never has an
        array: another index with the field says so.
        """
        usable = {
            name: (list(fields), options)
            for name, fields, options in self._iter_indexes(db, coll)
            if set(fields.values()) == {1}
            and not options.get("sparse")
            and not options.get("collation")
        }
        single = any(
            page.field in fields
            and not options.get("multikey")
            and not options.get("partialFilterExpression")
            for fields, options in usable.values()
        )
        return {
            name: fields
            for name, (fields, options) in usable.items()
            if (single or not options.get("multikey"))
            and self._query_implies_partial(
                page.query, options.get("partialFilterExpression") or {}
            )
        }

    def _first_of(
        self,
        db: str,
        coll: str,
        name: str,
        fields: list[str],
        prefix: bytes,
        page: IndexPage,
        seen: set[int],
    ) -> list[Any]:
        """Return the first documents of a range that match the page's query, and no more."""
        found: list[Any] = []
        entries = self._entries(db, coll, name, prefix, page)
        further = page.undecided(fields)
        while len(found) < page.documents:
            deadline.check()
            numbers = list(islice(entries, max(page.documents - len(found), 8)))
            if not numbers:
                break
            new = [number for number in numbers if number not in seen]
            seen.update(new)
            documents = self._docs_by_recordids(db, coll, new)
            if further:
                documents = [one for one in documents if matches(one, further, vars=page.variables)]
            found += documents
        return found

    def _entries(
        self, db: str, coll: str, name: str, prefix: bytes, page: IndexPage
    ) -> Iterator[int]:
        """Walk the entries of an index with this beginning and between the bounds.

        They come in the order of the page.
        """
        begin = _escape_kb(prefix)
        ends = {
            operator[:3]: begin + _escape_kb(encode_value(value)) + _ENTRY_SEP
            for operator, value in page.query[page.field].items()
        }
        low, high = ends.get("$gt", begin), ends.get("$lt", begin) + HIGHEST
        excluded = tuple(
            begin + _escape_kb(encode_value(value)) + _ENTRY_SEP
            for operator, value in page.query[page.field].items()
            if operator in {"$gt", "$lt"}
        )
        cursor = self._cursor(_IDX_ENTRIES_TABLE)
        cursor.set_key(db, coll, name, high if page.newest_first else low)
        move, beyond = (cursor.prev, 1) if page.newest_first else (cursor.next, -1)
        side = cursor.search_near()
        if side == wiredtiger.WT_NOTFOUND or (side == beyond and move() != 0):
            return
        while True:
            *place, packed = cursor.get_key()
            entry = bytes(packed)
            if place != [db, coll, name] or not low <= entry <= high:
                return
            number = _unpack_entry(entry)[1]
            if number is not None and not entry.startswith(excluded):
                yield number
            if move() != 0:
                return
