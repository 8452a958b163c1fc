"""Exports of the audit log: what one holds, its limits, and its lines in each format."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from services.audit.domain.csv_cells import csv_text
from services.audit.domain.records import Filters, Record, Span, moment_key
from services.audit.domain.sealed_records import Form, sealed_form
from services.audit.domain.search_terms import Lookup
from shared.contracts.facts import content_time
from shared.problems import Refusal, RefusalKind

BYTE_ORDER_MARK = "\ufeff"
"""At the beginning of a file it tells some spreadsheets that the text is UTF-8."""
MAX_OF_ACCOUNT = 2
MAX_OF_REPLICA = 8
MAX_ESTIMATE = 100_000


class ExportFormat(StrEnum):
    """The formats of an export."""

    JSON_LINES = "jsonl"
    CSV = "csv"


class TooManyExports(Refusal):
    """The account, or this replica, makes as many exports as it may at the same time."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-exports-at-once"
    detail = "Too many exports are running at the same time. Wait for one to end, then try again."


@dataclass(frozen=True, kw_only=True)
class Export:
    """What an export holds: it is decided when the export begins."""

    account_id: str
    filters: Filters
    after: str | None
    """The id of the record after which it begins."""
    taken_at: datetime
    complete_until: datetime | None
    kept_since: datetime | None
    lookups: tuple[Lookup, ...]
    span: Span
    exact_until: datetime
    """Nothing from before this moment arrives any more."""
    size: int = 0
    """The number of sealed records that proofs are about."""
    checkpoint: str | None = None
    """The signed checkpoint of that size."""
    estimate: int
    """The number of records that it will have, `MAX_ESTIMATE` at most."""

    @property
    def complete(self) -> bool:
        """Whether it has every sealed record: it has no filters, and begins at the beginning."""
        return self.after is None and not self.filters.given()

    def takes(self, record: Record, index: int | None) -> bool:
        """Return whether a record at this place of the tree belongs to the export.

        Sealed ones do, and of others those from before `exact_until`.
        """
        sealed = index is not None and index < self.size
        return sealed or record.order < moment_key(self.exact_until)

    def described(self) -> dict[str, Any]:
        """Return what the first line of an export says."""
        return {
            "account_id": self.account_id,
            "taken_at": content_time(self.taken_at),
            "complete_until": _time(self.complete_until),
            "kept_since": _time(self.kept_since),
            "filters": self.filters.given(),
            "after": self.after,
            "estimate": self.estimate,
            "estimate_is_minimum": self.estimate >= MAX_ESTIMATE,
        }


def end_of(filters: Filters, *, now: datetime, complete_until: datetime | None) -> datetime:
    """Return the moment before which an export is exact: nothing earlier arrives any more.

    While that moment is not known, it is when the export was taken.
    """
    ends = [complete_until or now, now]
    return min([*ends, filters.until] if filters.until else ends)


@dataclass
class Summary:
    """What was written so far."""

    records: int = 0
    first: str | None = None
    last: str | None = None

    def add(self, record: Record) -> None:
        """Count a record."""
        self.records += 1
        self.first = self.first or record.id
        self.last = record.id


class Places:
    """The exports that this replica makes."""

    def __init__(self) -> None:
        self._of_account: Counter[str] = Counter()

    def require_room(self, account_id: str) -> None:
        """Check that one more export may begin.

        Raises:
            TooManyExports: it may not.
        """
        if (
            self._of_account[account_id] >= MAX_OF_ACCOUNT
            or self._of_account.total() >= MAX_OF_REPLICA
        ):
            raise TooManyExports

    @contextmanager
    def place(self, account_id: str) -> Iterator[None]:
        """Hold a place while an export is written; raises as `require_room`."""
        self.require_room(account_id)
        self._of_account[account_id] += 1
        try:
            yield
        finally:
            self._of_account -= Counter((account_id,))


class ExportLines(Protocol):
    """The lines of a format: a first one, one for each record, and a last one."""

    media: ClassVar[str]
    proves: ClassVar[bool]
    """Whether each record has its seal; else it has the newest name of its actor."""

    def first(self, export: Export) -> str:
        """Return what stands before the records."""
        ...

    def record(self, record: Record, seal: Form | None) -> str:
        """Return the line of a record; `None` if it has no seal in the tree of the export."""
        ...

    def last(self, export: Export, summary: Summary) -> str:
        """Return the line that tells that the export is whole."""
        ...

    def stopped(self, code: str) -> str:
        """Return the line that tells why the export ends before it is whole."""
        ...


class JsonExport:
    """One JSON object in each line; records have the form in which they are sealed, and seals."""

    media: ClassVar[str] = "application/x-ndjson"
    proves: ClassVar[bool] = True

    def first(self, export: Export) -> str:
        """Return the object that describes the export."""
        sealed = {"size": export.size, "checkpoint": export.checkpoint}
        return json_line({"type": "export", "version": 1, **export.described(), **sealed})

    def record(self, record: Record, seal: Form | None) -> str:
        """Return a record, as it is stored, with its seal."""
        return json_line({"type": "record", **sealed_form(record), "seal": seal})

    def hash_only(self, seal: Form) -> str:
        """Return the line of a record that is not kept any more."""
        return json_line({"type": "hash", "seal": seal})

    def last(self, export: Export, summary: Summary) -> str:
        """Return the trailer."""
        return json_line(
            {
                "type": "end",
                "records": summary.records,
                "first": summary.first,
                "last": summary.last,
                "complete_until": _time(export.complete_until),
            }
        )

    def stopped(self, code: str) -> str:
        """Return the reason."""
        return json_line({"type": "stopped", "code": code})


@dataclass(frozen=True)
class CsvExport:
    """One row for each record. Names of actors are added."""

    byte_order_mark: bool = False
    media: ClassVar[str] = "text/csv"
    proves: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = (
        *("id", "occurred_at", "recorded_at", "actor_type", "actor_id", "actor_name"),
        *("actor_email", "session_id", "token_id", "on_behalf_of", "action", "resource_type"),
        *("resource_id", "resource_name", "project_id", "outcome", "before", "after", "reason"),
        *("request_id", "trace_id", "ip", "user_agent", "change_id", "source", "epoch", "shard"),
        *("seq", "via", "reported_by", "erased"),
    )

    def first(self, export: Export) -> str:
        """Return the names of the columns."""
        return (BYTE_ORDER_MARK if self.byte_order_mark else "") + csv_text([self.columns])

    def record(self, record: Record, seal: Form | None) -> str:
        """Return the row of a record."""
        form = sealed_form(record)
        actor, resource = form.pop("actor"), form.pop("resource")
        cells = form | form.pop("position") | actor
        cells |= {f"actor_{name}": actor[name] for name in ("type", "id", "name", "email")}
        cells |= {f"resource_{name}": value for name, value in resource.items()}
        cells |= {name: _compact(form[name]) for name in ("before", "after")} | {"id": form["id"]}
        cells["erased"] = " ".join(record.erased)
        return csv_text([[_cell(cells[name]) for name in self.columns]])

    def last(self, export: Export, summary: Summary) -> str:
        """Return the trailer: its first cell is `#end`."""
        told = {
            "records": summary.records,
            "first": summary.first,
            "last": summary.last,
            "taken_at": content_time(export.taken_at),
            "complete_until": _time(export.complete_until),
        }
        return self._note("#end", *(f"{name}: {value}" for name, value in told.items()))

    def stopped(self, code: str) -> str:
        """Return the reason: its first cell is `#stopped`."""
        return self._note("#stopped", code)

    def _note(self, *cells: str) -> str:
        return csv_text([[*cells, *[""] * (len(self.columns) - len(cells))]])


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _compact(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def json_line(value: Any) -> str:
    """Return a value as a line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else content_time(moment)
