"""Where do lease rows and receipts stand?"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.indexes import Index
from shared.leases.barrier import How, LeaseRow, Settled
from shared.leases.receipt import KEPT, Receipt
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
    """A later boot holds this replica's lease."""

    kind = RefusalKind.CONFLICT
    code = "superseded"
    detail = "A later boot of this replica holds the lease."


def succeeding(row: LeaseRow, there: LeaseRow | None) -> LeaseRow:
    """What stands when `row` is written where `there` stood.

    A replica that got no answer asks another process of the source, which may grant longer; the
    first one's write may come after that, or after a later ask: then nobody waits for its answer.

    Raises:
        Superseded: `there` is a later boot's.
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

    Every write returns once a majority has it, and every read sees all that was written, in that
    sense, before the read began or before the time of `after`.
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
        """Note what the row's replica applied, where its boot is still the one that counts."""

    async def remove(self, row: LeaseRow) -> None:
        """Delete the row if it was not renewed since."""

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
        """The journal's own documents, read with majority."""
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
        """Note `applied`; a late report may set it back, which only makes a barrier wait."""
        await self._leases.update_one(
            {"_id": row.replica, "boot": row.boot},
            {"$set": {"epoch": row.epoch, "applied": _applied(row)}},
        )

    async def remove(self, row: LeaseRow) -> None:
        """Delete the row if its renewal is still this one."""
        await self._leases.delete_one({"_id": row.replica, "renewal": row.renewal})

    async def end(self, replica: str, boot: int) -> None:
        """Delete the row of this boot."""
        await self._leases.delete_one({"_id": replica, "boot": boot})

    async def save(self, receipt: Receipt) -> None:
        """Keep the first receipt of a revision for thirty days."""
        assert receipt.effective_at is not None  # noqa: S101 - what is not in force has no receipt
        document = {
            "_id": receipt.revision,
            "effective_at": receipt.effective_at,
            "expires_at": receipt.effective_at + KEPT,
            "replicas": [
                {"replica": settled.replica, "how": settled.how.value, "at_ms": settled.at_ms}
                for settled in receipt.replicas
            ],
        }
        with contextlib.suppress(AlreadyThere):
            await insert_once(self._receipts, document)

    async def receipt(self, revision: str, now: datetime) -> Receipt | None:
        """The receipt, unless it expired; the index deletes late, so the query asks too."""
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
