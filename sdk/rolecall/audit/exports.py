"""The verification of an export of the audit log: each line by its own proof, in any number.

A line has the inclusion proof of its record, so it is verified without the others. An export that
has no filters says that it has all records of the log: then each place in the tree must be there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from rolecall.audit.endings import Ending
from rolecall.audit.notes import Checkpoint
from rolecall.audit.scattered import EarlierTrees, Indexes
from rolecall.audit.sealed import SealError
from rolecall.audit.trees import proves_inclusion
from rolecall.audit.verification import (
    MALFORMED,
    SealedLine,
    Tampered,
    Tampering,
    Verified,
    loads,
    sealed_line,
)

_T = TypeVar("_T")
_OF_AN_EXPORT = re.compile(
    r'[\ufeff \t]*\{.*("type"\s*:\s*"(export|record|hash|end|stopped)"|"seal"\s*:)'
)


def is_of_an_export(first_line: str) -> bool:
    """Whether a file with this first line is an export in JSON Lines, or was one.

    Another file does not mean that the log was altered: the reader chose the wrong one.
    """
    return _OF_AN_EXPORT.match(first_line) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportHead:
    """What the first line of an export says of its seals."""

    account_id: str
    """The account that the line names; a checkpoint of another one does not fit."""
    size: int
    """The records of the log that the proofs are about."""
    note: str | None
    """The signed checkpoint of that size."""
    complete: bool
    """Whether the export says that it has every record of the log."""
    complete_until: str | None = None
    """The moment that the line tells; no seal covers it."""
    by_time: bool = True
    """Whether its records stand in the order of time; a batch of a stream has that of the log."""

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read a first line; `None` if it is not one of an export with seals."""
        try:
            told = loads(text)
            size, note = told["size"], told["checkpoint"]
            if told["type"] != "export" or type(size) is not int or size < 0:
                return None
            if not isinstance(note, str | None):
                return None
            filters, after = told["filters"], told["after"]
            complete = filters == {} and after is None
            by_time = told.get("order") != "place"
            account, until = told["account_id"], told.get("complete_until")
            if not (isinstance(account, str) and isinstance(until, str | None)):
                return None
        except MALFORMED:
            return None
        return cls(
            account_id=account,
            size=size,
            note=note,
            complete=complete,
            complete_until=until,
            by_time=by_time,
        )

    def names(self, checkpoint: Checkpoint) -> bool:
        """Whether the account of the line is the one of a checkpoint: the end of its origin."""
        return checkpoint.origin.rpartition("/")[2] == self.account_id


NOT_SEALED = SealedLine(index=None)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line after the first one."""

    kind: str
    sealed: SealedLine = NOT_SEALED
    order: tuple[str, int, str] = ("", 0, "")
    """The place of a record in the order of time."""
    records: int | None = None
    """The number of records that the last line tells."""


def verify_export(
    head: ExportHead,
    lines: Iterable[str],
    checkpoint: Checkpoint,
    previous: Sequence[Checkpoint] = (),
) -> Verified | Tampered:
    """Verify the lines of an export after its first one.

    The checkpoint is of `head.size` records. `previous` are earlier checkpoints of the log, which
    only a complete export can be compared with.
    """
    if not head.names(checkpoint):
        return Tampered(fault=Tampering.MISNAMED, index=None, line=1)
    numbered = enumerate(lines, start=2)
    found, earlier = _Found(head), EarlierTrees(each.size for each in previous)
    for number, text in numbered:
        line = _read(text)
        if line is None or found.closed or not _proved(line.sealed, checkpoint):
            return found.bad(line, number, numbered)
        if (fault := found.add(line, number)) is not None:
            return fault
        if line.sealed.index is not None:
            earlier.add(line.sealed.index, line.sealed.leaf)
    fault = found.missing()
    if fault is None and head.complete:
        fault = _replaced(earlier, checkpoint, previous)
    return fault or found.verified()


def _proved(line: SealedLine, checkpoint: Checkpoint) -> bool:
    return line.index is None or proves_inclusion(
        line.index, checkpoint.size, line.leaf, line.path, checkpoint.root
    )


def _replaced(
    trees: EarlierTrees, newest: Checkpoint, previous: Sequence[Checkpoint]
) -> Tampered | None:
    """What is wrong with the earlier checkpoints of a complete log, if anything is."""
    agreed = 0
    for each in sorted(previous, key=lambda checkpoint: checkpoint.size):
        if each.size > newest.size:
            return Tampered(fault=Tampering.REMOVED, index=newest.size, line=None)
        if each.origin != newest.origin or each.root != trees.root(each.size):
            return Tampered(fault=Tampering.REPLACED, index=agreed, line=None)
        agreed = each.size
    return None


def _read(text: str) -> _Line | None:
    try:
        told = loads(text)
        kind = told.pop("type")
        if kind == "end":
            return _Line(kind, records=_typed(told["records"], int))
        if kind == "stopped":
            return _Line(kind)
        order = ("", 0, "") if kind == "hash" else _order(told)
        sealed = sealed_line(told, way="proof")
        fits = sealed.hash_only if kind == "hash" else kind == "record" and not sealed.hash_only
        return _Line(kind, sealed, order) if fits else None
    except MALFORMED:
        return None


def _order(record: Mapping[str, Any]) -> tuple[str, int, str]:
    seq = record["position"]["seq"]
    return _typed(record["occurred_at"], str), _typed(seq, int), _typed(record["id"], str)


def _typed(value: Any, kind: type[_T]) -> _T:
    if type(value) is not kind:
        raise SealError(f"A member of a line is not of the type {kind.__name__}.")
    return value


@dataclass
class _Found:
    """What the lines so far have."""

    head: ExportHead
    records: int = 0
    erased: int = 0
    told_erased: int = 0
    unsealed: int = 0
    ended: bool = False
    closed: bool = False
    """Whether a line has come that is the last one: the export ended, or it was stopped."""
    told: int | None = None
    """The number of records that the last line tells."""
    lines: int = 1
    indexes: Indexes = field(default_factory=Indexes)
    ending: Ending = field(default_factory=Ending)
    last: list[_Line] = field(default_factory=list)
    """The last two records."""

    def add(self, line: _Line, number: int) -> Tampered | None:
        """Count a line whose proof is right; what is wrong with its place, if anything is."""
        self.lines = number
        if line.kind in {"end", "stopped"}:
            self.closed, self.ended, self.told = True, line.kind == "end", line.records
            return None
        index = line.sealed.index
        if index is not None and not self.indexes.add(index):
            return Tampered(fault=Tampering.INSERTED, index=index, line=number)
        if line.kind == "record":
            if self.head.by_time and self.last and line.order < self.last[-1].order:
                # The one before stands too early, if this one fits behind the one before that.
                early = len(self.last) == 1 or self.last[0].order <= line.order
                moved = self.last[-1] if early else line
                return Tampered(
                    fault=Tampering.REORDERED, index=moved.sealed.index, line=number - early
                )
            self.last = [*self.last[-1:], line]
        self.records += line.kind == "record" and index is not None
        self.unsealed += index is None
        self.erased += line.sealed.erased
        self.told_erased += line.sealed.told_erased
        if index is not None:
            self.ending.add(index, hash_only=line.sealed.hash_only, told=line.sealed.told_end)
        return None

    def bad(self, line: _Line | None, number: int, rest: Iterator[tuple[int, str]]) -> Tampered:
        """Say what happened at a line that is not what was sealed, by the lines that follow."""
        for _, text in rest:
            later = _read(text)
            index = None if later is None else later.sealed.index
            if index is not None and 0 <= index < self.head.size:
                self.indexes.add(index)
        claimed = None if line is None else line.sealed.index
        lacks = self.indexes.lacks(claimed, self.head.size)
        if self.closed or (self.head.complete and lacks is None):
            return Tampered(fault=Tampering.INSERTED, index=claimed, line=number)
        found = lacks if self.head.complete else claimed
        return Tampered(fault=Tampering.ALTERED, index=found, line=number)

    def missing(self) -> Tampered | None:
        """What is missing, as far as it can be told."""
        if self.head.complete:
            index = self.indexes.lacks(None, self.head.size)
            if index is not None:
                return Tampered(fault=Tampering.REMOVED, index=index, line=None)
            removed = self.ending.removed(self.head.size)
            if removed is not None:
                return Tampered(fault=Tampering.REMOVED, index=removed, line=None)
        counted = self.records + self.unsealed
        if self.ended and self.told != counted:
            fewer = self.told is not None and counted < self.told
            fault = Tampering.REMOVED if fewer else Tampering.INSERTED
            return Tampered(fault=fault, index=None, line=self.lines)
        return None

    def verified(self) -> Verified:
        return Verified(
            records=self.records + self.ending.hashes,
            erased=self.erased,
            untold=max(0, self.erased - self.told_erased) if self.head.complete else 0,
            by_retention=self.ending.hashes,
            days=self.ending.days if self.ending.hashes else None,
            unsealed=self.unsealed,
            complete=self.head.complete,
            ended=self.ended,
        )
