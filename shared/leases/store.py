"""The store of lease rows and receipts."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.indexes import Index
from shared.leases.barrier import How, LeaseRow, Settled
from shared.leases.receipt import RECEIPT_RETENTION, Receipt
from shared.mongo import (
    AlreadyThere,
    Database,
    DbClient,
    DbSession,
    Document,
    insert_once,
    majority,
)
from shared.problems import Refusal, RefusalKind

SessionT = TypeVar("SessionT")

INDEXES = (Index(collection="receipts", keys=(("expires_at", 1),), name="expiry", ttl_seconds=0),)
"""What the migrations of a source that grants leases need."""


class Superseded(Refusal):
    """A later boot of the replica holds its lease."""

    kind = RefusalKind.CONFLICT
    code = "superseded"
    detail = "A later boot of this replica holds the lease."


def succeeding(row: LeaseRow, there: LeaseRow | None) -> LeaseRow:
    """The row to store when `row` is written over `there`.

    A replica that got no answer asks another process of the source, which may grant a longer lease.
    The write of the first process may come after that, or after a later request of the replica;
    then its answer is not awaited any more.

    Raises:
        Superseded: `there` belongs to a later boot.
    """
    if there is None or (there.boot, there.asked) < (row.boot, row.asked):
        return row
    if there.boot > row.boot:
        raise Superseded
    if there.asked > row.asked:
        return there
    return replace(row, ttl=max(row.ttl, there.ttl))


class LeaseStore(Protocol, Generic[SessionT]):
    """What `Leases` needs of a database.

    A write returns when a majority has it. A read sees each such write from before the read began
    and from before the time of `after`.
    """

    def session(self, after: SessionT | None = None) -> AbstractAsyncContextManager[SessionT]:
        """Reads and writes in causal order, from the last operation of `after` on."""

    async def put(self, row: LeaseRow, session: SessionT) -> None:
        """Write the row as `succeeding` says; it may raise `Superseded`."""

    async def heads(self, session: SessionT) -> tuple[str, dict[int, int]]:
        """The journal's epoch and heads."""

    async def rows(self, session: SessionT) -> list[LeaseRow]:
        """Every lease row."""

    async def report(self, row: LeaseRow) -> None:
        """Save what the replica has applied, if the row of this boot is still there."""

    async def remove(self, row: LeaseRow) -> None:
        """Delete the row unless it was renewed in the meantime."""

    async def end(self, replica: str, boot: int) -> None:
        """Delete the replica's row of this boot."""

    async def save(self, receipt: Receipt) -> None:
        """Keep a receipt; the first one of a revision stays."""

    async def receipt(self, revision: str, now: datetime) -> Receipt | None:
        """A receipt that is kept and not expired at `now`."""


class MongoLeaseStore:
    """The collections `leases` and `receipts`, beside the journal's `heads`."""

    def __init__(self, client: DbClient, database: Database) -> None:
        self._client = client
        self._leases = majority(database, "leases")
        self._receipts = majority(database, "receipts")
        self._heads = majority(database, "heads")

    @asynccontextmanager
    async def session(self, after: DbSession | None = None) -> AsyncIterator[DbSession]:
        """A causally consistent session that starts from the end of `after`."""
        async with await self._client.start_session(causal_consistency=True) as session:
            if after is not None:
                # The driver's own session: motor's types take these properties for methods.
                cluster_time = after.delegate.cluster_time
                operation_time = after.delegate.operation_time
                if cluster_time is not None and operation_time is not None:
                    session.advance_cluster_time(cluster_time)
                    session.advance_operation_time(operation_time)
            yield session

    async def put(self, row: LeaseRow, session: DbSession) -> None:
        """Insert or replace the replica's row as `succeeding` says.

        Raises:
            Superseded: the row there is a later boot's.
        """
        while True:
            found = await self._leases.find_one({"_id": row.replica}, session=session)
            if found is None:
                with contextlib.suppress(AlreadyThere):
                    await insert_once(self._leases, _document(row), session)
                    return
                continue
            there = _row(found)
            follows = succeeding(row, there)
            if follows is there:
                return
            unchanged = {"_id": row.replica, "renewal": there.renewal}
            outcome = await self._leases.replace_one(unchanged, _document(follows), session=session)
            if outcome.matched_count:
                return

    async def heads(self, session: DbSession) -> tuple[str, dict[int, int]]:
        """The epoch and heads of the journal, read with majority."""
        epoch, heads = "", {}
        async for row in self._heads.find({}, session=session):
            if row["_id"] == "epoch":
                epoch = row["epoch"]
            elif row["seq"]:
                heads[row["_id"]] = row["seq"]
        return epoch, heads

    async def rows(self, session: DbSession) -> list[LeaseRow]:
        """Every lease row, read with majority."""
        return [_row(document) async for document in self._leases.find({}, session=session)]

    async def report(self, row: LeaseRow) -> None:
        """Save `applied`. A late report may set it back, which only makes a barrier wait."""
        await self._leases.update_one(
            {"_id": row.replica, "boot": row.boot},
            {"$set": {"epoch": row.epoch, "applied": _applied(row)}},
        )

    async def remove(self, row: LeaseRow) -> None:
        """Delete the row if its renewal is unchanged."""
        await self._leases.delete_one({"_id": row.replica, "renewal": row.renewal})

    async def end(self, replica: str, boot: int) -> None:
        """Delete the row of this boot."""
        await self._leases.delete_one({"_id": replica, "boot": boot})

    async def save(self, receipt: Receipt) -> None:
        """Store the first receipt of a revision, for `RECEIPT_RETENTION`."""
        assert receipt.effective_at is not None  # noqa: S101 - a receipt is stored when it is effective
        document = {
            "_id": receipt.revision,
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
        document = await self._receipts.find_one({"_id": revision, "expires_at": {"$gt": now}})
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


def _applied(row: LeaseRow) -> dict[str, int]:
    return {str(shard): seq for shard, seq in row.applied.items()}


def _document(row: LeaseRow) -> Document:
    return {
        "_id": row.replica,
        "boot": row.boot,
        "asked": row.asked,
        "renewal": row.renewal,
        "ttl": row.ttl,
        "epoch": row.epoch,
        "applied": _applied(row),
    }


def _row(document: dict[str, Any]) -> LeaseRow:
    return LeaseRow(
        replica=document["_id"],
        boot=document["boot"],
        asked=document["asked"],
        renewal=document["renewal"],
        ttl=document["ttl"],
        epoch=document["epoch"],
        applied={int(shard): seq for shard, seq in document["applied"].items()},
    )
