"""The store of lease rows and receipts."""

import contextlib
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.contracts.facts import JournalHeads, Position, parse_revision, row_digest
from shared.indexes import Index
from shared.leases.barrier import How, LeaseId, LeaseRow, Settled
from shared.leases.receipt import RECEIPT_RETENTION, Receipt
from shared.mongo import (
    AlreadyThere,
    Database,
    DbClient,
    DbSession,
    Document,
    causal_session,
    insert_once,
    majority,
)
from shared.problems import Refusal, RefusalKind

SessionT = TypeVar("SessionT")

INDEXES = (Index(collection="receipts", keys=(("expires_at", 1),), name="expiry", ttl_seconds=0),)
"""What the migrations of a source that grants leases need."""

MARKS_PER_SERVICE = 100
"""At most this many lives of one calling service that gave their lease back keep a row.

Beyond it the row is deleted. A late request of that life makes at most one change wait.
"""


class LifeEnded(Refusal):
    """The life gave its lease back."""

    kind = RefusalKind.CONFLICT
    code = "life-ended"
    detail = "This life gave its lease back. Request a lease for a new life."


def succeeding(row: LeaseRow, there: LeaseRow | None) -> LeaseRow:
    """The row to store when `row` is written over `there`.

    Both are of one life. A replica that got no answer asks another process of the source, which may
    grant a longer lease. The write of the first process may come after that, or after a later
    request of the replica; then its answer is not awaited any more. `asked` orders them: a late
    write must not replace a longer ttl, by which the replica may still answer.

    Raises:
        LifeEnded: the life gave its lease back; a row would make every change wait for it.
    """
    if there is None:
        return row
    if there.released:
        raise LifeEnded
    if there.asked > row.asked:
        return there
    # A process of an earlier version writes no shards: changes then wait for the life.
    held = None
    if there.shards is not None and row.shards is not None:
        held = there.shards | row.shards
    row = replace(row, shards=held)
    if there.asked == row.asked:
        return replace(row, ttl=max(row.ttl, there.ttl))
    return row


class LeaseStore(Protocol, Generic[SessionT]):
    """What `Leases` needs of a database.

    A write returns when a majority has it. A read sees each such write from before the read began
    and from before the time of `after`.
    """

    def session(self, after: SessionT | None = None) -> AbstractAsyncContextManager[SessionT]:
        """Reads and writes in causal order, from the last operation of `after` on."""

    async def put(self, row: LeaseRow, session: SessionT) -> None:
        """Write the row as `succeeding` says; it may raise `LifeEnded`."""

    async def heads(self, session: SessionT) -> JournalHeads:
        """The journal's epoch and heads."""

    async def change_at(self, position: Position, session: SessionT) -> str | None:
        """The id of the change whose row the journal has at a position."""

    async def digests_at(
        self, shard: int, seqs: Collection[int], session: SessionT
    ) -> dict[int, str]:
        """The digests of those of the journal's rows that exist, by sequence."""

    async def live_rows(self, session: SessionT) -> list[LeaseRow]:
        """The rows of lives that did not give their lease back, those of earlier versions too."""

    async def rows(self, session: SessionT) -> list[LeaseRow]:
        """Every lease row, those of released lives too."""

    async def report(self, row: LeaseRow) -> None:
        """Save what the replica has applied, if the row is there and not released."""

    async def remove(self, row: LeaseRow) -> None:
        """Delete the row unless it was renewed in the meantime."""

    async def release(self, row: LeaseRow) -> None:
        """Write the row of a life that gave its lease back, over the one that is there.

        A service that has `MARKS_PER_SERVICE` of them gets none; the row is deleted.
        """

    async def save(self, receipt: Receipt) -> None:
        """Keep a receipt; the first one of a revision stays."""

    async def receipt(self, revision: str, now: datetime) -> Receipt | None:
        """A receipt that is kept and not expired at `now`."""


class MongoLeaseStore:
    """The collections `leases` and `receipts`, beside the journal's own."""

    def __init__(self, client: DbClient, database: Database) -> None:
        self._client = client
        self._leases = majority(database, "leases")
        self._receipts = majority(database, "receipts")
        self._heads = majority(database, "heads")
        self._journal = majority(database, "journal")

    def session(self, after: DbSession | None = None) -> AbstractAsyncContextManager[DbSession]:
        """A causally consistent session that starts from the end of `after`."""
        return causal_session(self._client, after)

    async def put(self, row: LeaseRow, session: DbSession) -> None:
        """Insert or replace the row as `succeeding` says.

        Raises:
            LifeEnded: the life gave its lease back.
        """
        while True:
            found = await self._leases.find_one({"_id": row.id}, session=session)
            if found is None:
                with contextlib.suppress(AlreadyThere):
                    await insert_once(self._leases, _document(row), session)
                    return
                continue
            there = _row(found)
            follows = succeeding(row, there)
            if follows is there:
                return
            unchanged = {"_id": row.id, "renewal": there.renewal}
            outcome = await self._leases.replace_one(unchanged, _document(follows), session=session)
            if outcome.matched_count:
                return

    async def heads(self, session: DbSession) -> JournalHeads:
        """The epoch and heads of the journal, read with majority."""
        epoch, seqs, digests = "", {}, {}
        async for row in self._heads.find({}, session=session):
            if row["_id"] == "epoch":
                epoch = row["epoch"]
            elif row["last_seq"]:
                seqs[row["_id"]], digests[row["_id"]] = row["last_seq"], row["digest"]
        return JournalHeads(epoch, seqs, digests)

    async def change_at(self, position: Position, session: DbSession) -> str | None:
        """The id of the change at a position, read with majority."""
        place = {"shard": position.shard, "seq": position.seq}
        row = await self._journal.find_one(place, session=session)
        return None if row is None else str(row["change_id"])

    async def digests_at(
        self, shard: int, seqs: Collection[int], session: DbSession
    ) -> dict[int, str]:
        """The digests of rows of a shard, read with majority."""
        places = {"shard": shard, "seq": {"$in": sorted(seqs)}}
        found = self._journal.find(places, {"seq": 1, "event": 1}, session=session)
        return {row["seq"]: row_digest(row["event"].encode()) async for row in found}

    async def live_rows(self, session: DbSession) -> list[LeaseRow]:
        """The rows without the marks, read with majority; earlier versions have no `released`."""
        found = self._leases.find({"released": {"$ne": True}}, session=session)
        return [_row(document) async for document in found]

    async def rows(self, session: DbSession) -> list[LeaseRow]:
        """Every lease row, read with majority."""
        return [_row(document) async for document in self._leases.find({}, session=session)]

    async def report(self, row: LeaseRow) -> None:
        """Save `applied`. A late report may set it back, which only makes a barrier wait."""
        await self._leases.update_one(
            {"_id": row.id, "released": False},
            {"$set": {"epoch": row.epoch, **_applied(row)}},
        )

    async def remove(self, row: LeaseRow) -> None:
        """Delete the row if its renewal is unchanged."""
        await self._leases.delete_one({"_id": row.id, "renewal": row.renewal})

    async def release(self, row: LeaseRow) -> None:
        """Replace the row, or insert it: the life may have asked and not been served yet."""
        # "0" is the character after "/", so the range has the rows of the service.
        marks = {"_id": {"$gte": f"{row.service}/", "$lt": f"{row.service}0"}, "released": True}
        found = await self._leases.find(marks, {"_id": 1}).to_list(MARKS_PER_SERVICE)
        if len(found) == MARKS_PER_SERVICE:
            await self._leases.delete_one({"_id": row.id})
            return
        while True:
            outcome = await self._leases.replace_one({"_id": row.id}, _document(row))
            if outcome.matched_count:
                return
            with contextlib.suppress(AlreadyThere):
                await insert_once(self._leases, _document(row))
                return

    async def save(self, receipt: Receipt) -> None:
        """Store the first receipt of a revision, for `RECEIPT_RETENTION`."""
        assert receipt.effective_at is not None  # noqa: S101 - a receipt is stored when it is effective
        document = {
            "_id": receipt.revision,
            "shard": parse_revision(receipt.revision).shard,
            "effective_at": receipt.effective_at,
            "expires_at": receipt.effective_at + RECEIPT_RETENTION,
            "replicas": [
                {"replica": settled.replica, "how": settled.how.value, "at_ms": settled.at_ms}
                for settled in receipt.replicas
            ],
        }
        with contextlib.suppress(AlreadyThere):
            await insert_once(self._receipts, document)

    async def receipt(self, revision: str, now: datetime) -> Receipt | None:
        """The receipt, unless it has expired: the index deletes late, so the query compares too."""
        # Earlier versions stored receipts without a shard. They are deleted after their month.
        shards = {"$in": [parse_revision(revision).shard, None]}
        wanted = {"_id": revision, "shard": shards, "expires_at": {"$gt": now}}
        document = await self._receipts.find_one(wanted)
        if document is None:
            return None
        return Receipt(
            revision=revision,
            effective_at=document["effective_at"],
            replicas=tuple(
                Settled(replica=row["replica"], how=How(row["how"]), at_ms=row["at_ms"])
                for row in document["replicas"]
            ),
        )


def _applied(row: LeaseRow) -> Document:
    return {
        "applied": {str(shard): seq for shard, seq in row.applied.items()},
        "digests": {str(shard): digest for shard, digest in row.digests.items()},
    }


def _document(row: LeaseRow) -> Document:
    return {
        "_id": row.id,
        # A process of the version before, which may run during an update, needs it to read the row.
        "boot": 0,
        "released": row.released,
        "asked": row.asked,
        "renewal": row.renewal,
        "ttl": row.ttl,
        "epoch": row.epoch,
        **({} if row.shards is None else {"shards": sorted(row.shards)}),
        **_applied(row),
    }


def _row(document: dict[str, Any]) -> LeaseRow:
    """The row of a document; those of earlier versions know no release and no digests."""
    return LeaseRow(
        id=LeaseId(document["_id"]),
        released=document.get("released", False),
        asked=document["asked"],
        renewal=document["renewal"],
        ttl=document["ttl"],
        epoch=document["epoch"],
        applied={int(shard): seq for shard, seq in document["applied"].items()},
        digests={int(shard): digest for shard, digest in document.get("digests", {}).items()},
        shards=None if (shards := document.get("shards")) is None else frozenset(shards),
    )
