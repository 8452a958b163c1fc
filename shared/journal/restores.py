"""A journal whose database was restored: it begins a new epoch, says so, and keeps the former rows.

What was written after the backup is lost. What the backup has is history, and some service may
have been restored to an earlier moment and lack it: other services finish a former epoch first.
"""

from datetime import datetime
from typing import Any

from shared.auth.row_signatures import SignedRow
from shared.contracts.calls.journal import FormerEpoch
from shared.contracts.facts import Actor, Caller, Fact, Position, RequestInfo, ResourceRef
from shared.contracts.upkeep import RESTORED
from shared.ids import new_id
from shared.journal import rows
from shared.journal.history import begin_history
from shared.journal.journal import Journal
from shared.journal.shard_rows import TRIMMED, TRIMMED_SIGNATURE
from shared.journal.writes import JournalWrite
from shared.mongo import Database, Document, majority

KEPT = "journal_before_restore"
"""The rows of former epochs; the `_id` of each begins with its epoch."""
EPOCHS = "former_epochs"
DELETED_AT_ONCE = 500


class Restores:
    """The former epochs of one journal."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._epochs = majority(database, EPOCHS)
        self._kept = majority(database, KEPT)
        self._journal = journal
        self.former: list[FormerEpoch] = []
        """In the order of their ends. None is added while a service runs."""

    async def start(self) -> None:
        """Read the former epochs, and record each restore once."""
        for stored in await self.refresh():
            if not stored["told"]:
                await self._tell(stored)

    async def refresh(self) -> list[Document]:
        """Read the former epochs, in the order of their ends: how far each is trimmed."""
        found = [each async for each in self._epochs.find({}).sort("ended_at", 1)]
        self.former = [
            FormerEpoch(
                epoch=each["_id"],
                heads=_heads(each),
                trimmed=_by_shard(each, "trimmed"),
                trimmed_signatures=_by_shard(each, "trimmed_signatures"),
            )
            for each in found
        ]
        return found

    async def trim(self, stored: Document) -> int:
        """Delete the rows of a former epoch, after this was noted; return their number."""
        epoch, deleted = stored["_id"], 0
        signatures = {
            str(shard): self._journal.signer.trimmed(
                Position(self._journal.source, epoch, shard, place)
            )
            for shard, place in _heads(stored).items()
        }
        noted = {"$set": {"trimmed": stored["heads"], "trimmed_signatures": signatures}}
        await self._epochs.update_one({"_id": epoch}, noted)
        of_epoch = {"$gte": f"{epoch}.", "$lt": f"{epoch}/"}
        while True:
            found = self._kept.find({"_id": of_epoch}, {"_id": 1}).sort("_id", 1)
            page = [each["_id"] async for each in found.limit(DELETED_AT_ONCE)]
            if not page:
                break
            outcome = await self._kept.delete_many({"_id": {"$gte": page[0], "$lte": page[-1]}})
            deleted += outcome.deleted_count
        await self._epochs.update_one({"_id": epoch}, {"$set": {"deleted": True}})
        return deleted

    async def changes(self, epoch: str, shard: int, *, after: int, limit: int) -> list[SignedRow]:
        """At most `limit` rows of a shard of a former epoch, after a sequence, in order."""
        first, last = (f"{epoch}.{shard:02d}.{seq:012d}" for seq in (after + 1, after + limit))
        found = self._kept.find({"_id": {"$gte": first, "$lte": last}}).sort("_id", 1)
        return [rows.read(stored) async for stored in found]

    async def _tell(self, stored: Document) -> None:
        async def change(write: JournalWrite) -> None:
            untold = {"_id": stored["_id"], "told": False}
            told = {"$set": {"told": True}}
            outcome = await self._epochs.update_one(untold, told, session=write.session)
            if outcome.matched_count:
                write.record(self._fact(stored))

        actor = Actor(type="operator", id="database", name=stored["operator"])
        caller = Caller(actor=actor, request=RequestInfo(request_id=new_id("req")))
        source = self._journal.source
        await self._journal.write(source, change, caller=caller, effective_everywhere=False)

    def _fact(self, stored: Document) -> Fact:
        journal = self._journal
        payload = RESTORED[journal.source](
            former_epoch=stored["_id"],
            epoch=journal.epoch,
            rows=stored["rows"],
            heads=_heads(stored),
        )
        return Fact(
            payload=payload,
            resource=ResourceRef(type="journal", id=journal.source),
            before={"epoch": payload.former_epoch},
            after={
                "epoch": payload.epoch,
                "rows": payload.rows,
                "heads": {str(shard): seq for shard, seq in payload.heads.items()},
            },
            reason=stored["explanation"],
        )


async def begin_epoch(
    database: Database, *, at: datetime, operator: str | None = None, explanation: str | None = None
) -> int:
    """Set the journal aside and forget its heads; return how many rows were kept.

    The next start of the service makes a new random epoch, whose sequences begin at 1. So `rev` of
    every stored object falls to 0: a follower takes a state only over a lower `rev`. It may be
    repeated, and finishes what was interrupted.
    """
    journal, heads = majority(database, "journal"), majority(database, "heads")
    epoch = await heads.find_one({"_id": "epoch"})
    kept = 0
    if epoch is not None:
        kept = await _keep(database, epoch["epoch"])
        trimmed = [head async for head in heads.find({TRIMMED: {"$gt": 0}})]
        ended = {
            "heads": {
                str(head["_id"]): head["last_seq"]
                async for head in heads.find({"last_seq": {"$gt": 0}})
            },
            "trimmed": {str(head["_id"]): head[TRIMMED] for head in trimmed},
            "trimmed_signatures": {
                str(head["_id"]): head.get(TRIMMED_SIGNATURE, "") for head in trimmed
            },
            "rows": kept,
            "ended_at": at,
            "operator": operator,
            "explanation": explanation,
            "told": False,
        }
        former = {"_id": epoch["epoch"]}
        await majority(database, EPOCHS).update_one(former, {"$set": ended}, upsert=True)
    for name in set(await database.list_collection_names()) - {"journal", KEPT}:
        stored = majority(database, name)
        await stored.update_many({"rev": {"$exists": True}}, {"$set": {"rev": 0}})
    await begin_history(database, at=at)
    # The heads go last: without them a start would number from 1 beside the old rows.
    await journal.delete_many({})
    await heads.delete_many({})
    return kept


async def _keep(database: Database, epoch: str) -> int:
    """Copy the journal to the kept rows; return how many rows of the epoch are kept."""
    named = {"$set": {"_id": {"$concat": [f"{epoch}.", "$_id"]}}}
    journal = majority(database, "journal")
    await journal.aggregate([named, {"$merge": {"into": KEPT}}]).to_list(None)
    of_epoch = {"_id": {"$gte": f"{epoch}.", "$lt": f"{epoch}/"}}
    return await majority(database, KEPT).count_documents(of_epoch)


def _heads(stored: Document) -> dict[int, int]:
    return _by_shard(stored, "heads")


def _by_shard(stored: Document, field: str) -> dict[int, Any]:
    return {int(shard): value for shard, value in stored.get(field, {}).items()}
