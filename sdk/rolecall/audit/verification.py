"""The verification of an exported log against a signed checkpoint, without any service."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rolecall.audit.endings import Ending, told_end
from rolecall.audit.erasures import told_erasures
from rolecall.audit.notes import Checkpoint
from rolecall.audit.sealed import SealError, commitments, decoded, leaf_of, personal_values
from rolecall.audit.trees import HASH_BYTES, GrowingTree
from rolecall.audit.walk import AnchoredWalk

MAX_PATH = 64
SEAL_MEMBERS = frozenset({"index", "salts", "erased"})
HASH_MEMBERS = frozenset({"index", "leaf"})


class Tampering(StrEnum):
    """What is wrong with the first bad record."""

    ALTERED = "altered"
    REMOVED = "removed"
    REORDERED = "reordered"
    INSERTED = "inserted"
    REPLACED = "replaced"
    """The log that an earlier checkpoint told is not the beginning of this one."""
    MISNAMED = "misnamed"
    """The first line names another account than the checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampered:
    """The first bad record of an export."""

    fault: Tampering
    index: int | None
    """Its index in the log. Of an inserted one, where it stands; of replaced ones, the first that
    no earlier checkpoint vouches for. `None` where no record tells it."""
    line: int | None
    """The line of the export at which it shows; `None` at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """An export that is what the checkpoint says."""

    records: int
    erased: int = 0
    """The records of which some personal values were erased."""
    untold: int = 0
    """Those of them beyond the number that the log itself tells, in a whole export: the telling
    records are sealed later than the erasure, or there are none."""
    by_retention: int = 0
    """The oldest records, of which retention has left the hash only: a later record says so."""
    days: int | None = None
    """The days after which they ended."""
    unsealed: int = 0
    """The records at the end that are newer than the checkpoint; nothing is known of them."""
    complete: bool = True
    """Whether every record of the log is there; `False` where the export holds only some."""
    ended: bool = True
    """Whether the export has its last line; without it newer records may be missing."""


@dataclass(frozen=True, slots=True)
class SealedLine:
    """What a line of an export says of its place in the tree."""

    index: int | None
    """`None` for a record that is not in the tree yet."""
    leaf: bytes = b""
    path: tuple[bytes, ...] = ()
    erased: bool = False
    hash_only: bool = False
    told_end: tuple[int, int | None] = (0, None)
    """The records with a lower index ended after these days: this record says so."""
    told_erased: int = 0
    """The number of records in which values were erased, as this record says."""


def verify(
    lines: Iterable[str], checkpoint: Checkpoint, previous: Sequence[Checkpoint] = ()
) -> Verified | Tampered:
    """Verify a whole export, line by line, in constant memory.

    `previous` are earlier checkpoints of the same log: it must have grown from each of them.
    """
    numbered = enumerate(lines, start=1)
    walk = AnchoredWalk(checkpoint.size, checkpoint.root)
    earlier = _Earlier(previous)
    if (replaced := earlier.at(0, checkpoint)) is not None:
        return replaced
    records = erased = told = unsealed = 0
    ending = Ending()
    for number, text in numbered:
        line = read_line(text)
        if line is not None and line.index is None and walk.next == walk.size:
            unsealed += 1
            continue
        if unsealed or line is None or line.index != walk.next or walk.next == walk.size:
            return _fault(line, walk, number, numbered)
        if not walk.fits(line.index, line.leaf, line.path):
            return _fault(line, walk, number, numbered, index=line.index)
        records, erased, told = records + 1, erased + line.erased, told + line.told_erased
        ending.add(line.index, hash_only=line.hash_only, told=line.told_end)
        earlier.add(line.leaf)
        if (replaced := earlier.at(walk.next, checkpoint)) is not None:
            return replaced
    whole = walk.next == walk.size
    removed = ending.removed(walk.size) if whole else walk.next
    if removed is not None:
        line_of_hash = removed + 1 if whole else None
        return Tampered(fault=Tampering.REMOVED, index=removed, line=line_of_hash)
    return Verified(
        records=records,
        erased=erased,
        untold=max(0, erased - told),
        by_retention=ending.hashes,
        days=ending.days if ending.hashes else None,
        unsealed=unsealed,
    )


class _Earlier:
    """The earlier checkpoints that an export must have grown from."""

    def __init__(self, previous: Sequence[Checkpoint]) -> None:
        self._due = sorted(previous, key=lambda each: each.size, reverse=True)
        self._tree = GrowingTree()
        self._agreed = 0

    def add(self, leaf: bytes) -> None:
        if self._due:
            self._tree.extend([leaf])

    def at(self, size: int, newest: Checkpoint) -> Tampered | None:
        """What is wrong with the earlier checkpoints of `size` leaves, if anything is."""
        if self._due and self._due[0].size > newest.size:
            return Tampered(fault=Tampering.REMOVED, index=newest.size, line=None)
        while self._due and self._due[-1].size == size:
            known = self._due.pop()
            if known.origin != newest.origin or known.root != self._tree.root():
                return Tampered(fault=Tampering.REPLACED, index=self._agreed, line=None)
            self._agreed = known.size
        return None


def _fault(
    line: SealedLine | None,
    walk: AnchoredWalk,
    number: int,
    rest: Iterator[tuple[int, str]],
    *,
    index: int | None = None,
) -> Tampered:
    """Say what happened to the record that was expected, by the lines that follow."""
    expected = walk.next if index is None else index
    if expected == walk.size or (line and line.index is not None and line.index < expected):
        return Tampered(fault=Tampering.INSERTED, index=expected, line=number)
    follows = (later for _, text in rest if (later := read_line(text)) is not None)
    stands_later = any(later.index == expected for later in follows)
    if line is not None and line.index is not None and line.index > expected:
        fault = Tampering.REORDERED if stands_later else Tampering.REMOVED
    else:
        fault = Tampering.INSERTED if stands_later else Tampering.ALTERED
    return Tampered(fault=fault, index=expected, line=number)


def read_line(text: str) -> SealedLine | None:
    """Read a line of an export; `None` if it is not the form of a record with its seal."""
    try:
        return sealed_line(loads(text), way="path")
    except MALFORMED:
        return None


MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What reading a line raises that is not the form of a record with its seal."""


def sealed_line(record: dict[str, Any], *, way: str) -> SealedLine:
    """Read a record with its seal; `way` is the member of the seal with the hashes beside its way.

    Raises:
        Exception: one of `MALFORMED`.
    """
    seal = record.pop("seal")
    if seal is None:
        return SealedLine(index=None)
    index, hashes = seal["index"], seal[way]
    members = HASH_MEMBERS if "leaf" in seal else SEAL_MEMBERS
    if type(index) is not int or not isinstance(hashes, list) or seal.keys() - members != {way}:
        raise SealError("The seal has another form.")
    if len(hashes) > MAX_PATH:
        raise SealError("There are more hashes than any way has.")
    path = tuple(map(decoded, hashes))
    if "leaf" in seal:  # retention has removed the record itself
        leaf = decoded(seal["leaf"])
        if record or len(leaf) != HASH_BYTES:
            raise SealError("There is more than a hash.")
        return SealedLine(index, leaf, path, hash_only=True)
    erased = _texts(seal.get("erased", {}))
    salts = {name: decoded(salt) for name, salt in seal["salts"].items()}
    committed = commitments(personal_values(record), salts)
    if erased.keys() & committed.keys():
        raise SealError("An erased value is there.")
    leaf = leaf_of(record, {**committed, **erased})
    return SealedLine(
        index,
        leaf,
        path,
        erased=bool(erased),
        told_end=told_end(record),
        told_erased=told_erasures(record),
    )


def _texts(value: Any) -> Mapping[str, str]:
    if not all(isinstance(each, str) for each in value.values()):
        raise SealError("A commitment is not a text.")
    found: Mapping[str, str] = value
    return found


def loads(text: str) -> dict[str, Any]:
    """Read a line: an object without two members of one name.

    Raises:
        ValueError: it is not one.
    """
    found = json.loads(
        text, object_pairs_hook=_members, parse_constant=_no_constant, parse_float=_finite
    )
    if not isinstance(found, dict):
        raise SealError("A line is not an object.")
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise SealError("An object has two members of one name.")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise SealError(f"{text[:80]} is beyond the numbers that have a canonical form.")
    return number


def _no_constant(name: str) -> None:
    raise SealError(f"{name} is not a value of JSON.")
