"""The marks of applied facts: one document for each, saved in the transaction of its effect.

A fact that no subscriber acts on has no effect to be saved with. Its mark is noted in memory, and
the notes of some moments are saved in one statement. The reconciler fetches what a crash forgets.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from shared.auth.row_signatures import SignedRow
from shared.contracts.facts import Position
from shared.indexes import Index
from shared.mongo import (
    AlreadyThere,
    Database,
    DbSession,
    Document,
    insert_all_once,
    insert_missing,
    insert_once,
    majority,
)
from shared.row_verifier import Channel, Fault, RowVerifier

INDEXES = (
    Index(
        collection="inbox",
        keys=(("source", 1), ("epoch", 1), ("shard", 1), ("seq", 1)),
        name="position",
    ),
)
"""What earlier versions need."""
EARLIER_INDEXES = {"inbox": ("position",)}
"""What a migration drops: marks are found by their ids."""
IDS_AT_ONCE = 100
"""The ids in one statement."""

MOST_NOTED = 5_000
"""The most marks in memory. What comes then is fetched again by the reconciler."""


class AlreadyApplied(Exception):  # noqa: N818 - nothing is wrong, the effect is there
    """The fact's effect is saved already. Let it pass: the inbox handles it."""


def mark_id(position: Position) -> str:
    """The `_id` of the mark of a row."""
    return ".".join(str(part) for part in position)


class Marks:
    """The collection `inbox`."""

    def __init__(
        self, database: Database, verifier: RowVerifier, *, most_noted: int = MOST_NOTED
    ) -> None:
        self._marks = majority(database, "inbox")
        self._verifier = verifier
        self._most_noted = most_noted
        self._noted: dict[Position, tuple[Document, Channel]] = {}
        self._saved: dict[Position, str] = {}
        """The digests of the marks that this process has saved, until the progress covers them."""
        self._saving = asyncio.Lock()

    async def insert(
        self, position: Position, digest: str, at: datetime, session: DbSession | None = None
    ) -> None:
        """Mark the row with this digest as applied.

        Raises:
            AlreadyThere: it is marked. The exception ends a transaction that it is raised in.
        """
        await insert_once(self._marks, _mark(position, digest, at), session)

    async def insert_all(
        self, places: Sequence[tuple[Position, str]], at: datetime, session: DbSession
    ) -> None:
        """Mark the rows at these positions, with these digests, in one statement.

        Raises:
            AlreadyThere: one of them is marked; the transaction has ended.
        """
        marks = [_mark(position, digest, at) for position, digest in places]
        await insert_all_once(self._marks, marks, session)

    def note(self, signed: SignedRow, at: datetime, channel: Channel) -> None:
        """Note that the row counts as applied; `save_noted` saves the mark."""
        position = signed.row.position
        if len(self._noted) < self._most_noted:
            self._noted[position] = _mark(position, signed.digest, at), channel

    def is_noted(self, position: Position) -> bool:
        """Return whether the mark of the position waits to be saved."""
        return position in self._noted

    async def save_noted(self) -> None:
        """Save the noted marks; another row that is marked at a position of theirs is an alarm."""
        async with self._saving:
            noted = dict(self._noted)
            marks = [mark for mark, _ in noted.values()]
            there = await insert_missing(self._marks, marks) if marks else []
            for position, (mark, _) in noted.items():
                self._noted.pop(position, None)
                self.note_saved(position, mark["digest"])
        for mark in there:
            position = Position(*(mark[name] for name in Position._fields))
            if await self.digest(position) not in {None, mark["digest"]}:
                self._verifier.refuse(position.source, noted[position][1], Fault.FORK)

    def note_saved(self, position: Position, digest: str) -> None:
        """Note that the row with this digest is marked; the database knows all that are."""
        if len(self._saved) >= self._most_noted:
            self._saved.clear()
        self._saved[position] = digest

    def saved_between(self, first: Position, end: int) -> dict[int, str | None]:
        """The marks from `first` up to `end` that this process has saved and not forgotten."""
        places = (first._replace(seq=seq) for seq in range(first.seq, end + 1))
        return {place.seq: self._saved[place] for place in places if place in self._saved}

    def forget_saved(self, first: Position, end: int) -> None:
        """Forget the saved marks from `first` up to `end`; the progress covers them."""
        for seq in range(first.seq, end + 1):
            self._saved.pop(first._replace(seq=seq), None)

    async def digest(self, position: Position) -> str | None:
        """The digest of the row that was applied at this position, if it is known.

        Earlier versions kept none.
        """
        if position in self._noted:
            return str(self._noted[position][0]["digest"])
        mark = await self._marks.find_one({"_id": mark_id(position)})
        return None if mark is None else mark.get("digest")

    async def between(self, first: Position, end: int) -> dict[int, str | None]:
        """The marks of a shard from `first` up to `end`, both included: sequence and digest."""
        found: dict[int, str | None] = {}
        ids = [mark_id(first._replace(seq=seq)) for seq in range(first.seq, end + 1)]
        for part in _parts(ids):
            marks = self._marks.find({"_id": {"$in": part}}, {"seq": 1, "digest": 1})
            found |= {mark["seq"]: mark.get("digest") async for mark in marks}
        return found

    async def count_between(self, first: Position, end: int) -> int:
        """Count the marks of a shard from `first` up to `end`, both included; reads all marks."""
        shard = {"source": first.source, "epoch": first.epoch, "shard": first.shard}
        return await self._marks.count_documents({**shard, "seq": {"$gte": first.seq, "$lte": end}})

    async def delete(
        self, source: str, epoch: str, covered: Mapping[int, int], *, before: datetime
    ) -> None:
        """Delete the marks of a source that were made before the moment; reads all marks.

        Of this epoch it deletes those up to the row of each shard that the progress covers, of
        other epochs all.
        """
        found = self._marks.find(
            {"at": {"$lt": before}, "source": source}, {"epoch": 1, "shard": 1, "seq": 1}
        )
        ids = [
            mark["_id"]
            async for mark in found
            if mark["epoch"] != epoch or mark["seq"] <= covered.get(mark["shard"], 0)
        ]
        for part in _parts(ids):
            await self._marks.delete_many({"_id": {"$in": part}})


class AppliedMark:
    """Marks a fact as applied in the session of its effect; a subscriber calls it first."""

    def __init__(self, marks: Marks, signed: SignedRow, at: datetime) -> None:
        self._marks = marks
        self._place = signed.row.position, signed.digest
        self._at = at
        self.used = False

    async def __call__(self, session: DbSession | None) -> None:
        """Save the mark.

        Raises:
            AlreadyApplied: it is there. The exception ends a transaction that it is raised in.
        """
        self.used = True
        place = await self.place(session)
        if place is None:
            return
        try:
            await self._marks.insert(*place, self._at, session)
        except AlreadyThere as there:
            raise AlreadyApplied from there

    async def place(self, session: DbSession | None) -> tuple[Position, str] | None:
        """The position and the digest to insert, if any; another kind of mark saves itself."""
        return self._place

    async def save_with(self, others: "Sequence[AppliedMark]", session: DbSession) -> None:
        """Save this mark and those of other facts whose effects share the transaction.

        Raises:
            AlreadyApplied: one of them is there; the transaction has ended.
        """
        places = []
        for mark in [self, *others]:
            mark.used = True
            place = await mark.place(session)
            if place is not None:
                places.append(place)
        if not places:
            return
        try:
            await self._marks.insert_all(places, self._at, session)
        except AlreadyThere as there:
            raise AlreadyApplied from there


def _mark(position: Position, digest: str, at: datetime) -> Document:
    return {"_id": mark_id(position), **position._asdict(), "digest": digest, "at": at}


def _parts(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield list(ids[start : start + IDS_AT_ONCE])
