"""The head and the rows of a shard, as a write reads and extends them."""

import asyncio
from collections.abc import Collection, Sequence

from shared.auth.row_signatures import SignedRow
from shared.contracts.facts import JournalHeads
from shared.journal import rows
from shared.journal.adoption import MARK, Adoption
from shared.mongo import (
    Database,
    DbSession,
    Document,
    majority,
    one_after_another,
    update_expected,
)

TRIMMED = "trimmed_seq"
"""The last sequence of a head up to which the rows of the shard are deleted, or soon will be."""
TRIMMED_SIGNATURE = "trimmed_signature"
"""The source's signature of it: who can write the database alone cannot say it."""


def heads_of(epoch: str, stored: Sequence[Document]) -> JournalHeads:
    """Return what these heads of shards say."""
    trimmed = [head for head in stored if TRIMMED in head]
    return JournalHeads(
        epoch,
        {head["_id"]: head["last_seq"] for head in stored},
        {head["_id"]: head["digest"] for head in stored},
        {head["_id"]: head[TRIMMED] for head in trimmed},
        {head["_id"]: head.get(TRIMMED_SIGNATURE, "") for head in trimmed},
    )


class ShardRows:
    """The collections `heads` and `journal`, in the transaction of a write."""

    def __init__(self, database: Database, adoption: Adoption | None) -> None:
        self._rows = majority(database, "journal")
        self._heads = majority(database, "heads")
        self._adoption = adoption

    async def head(self, shard: int, session: DbSession) -> Document:
        """The last place; what an earlier version wrote before it is found from here on."""
        head = await self._heads.find_one({"_id": shard}, session=session) or {}
        if self._adoption is not None:
            await self._adoption.before(head, session)
        return head

    async def append(self, recorded: list[SignedRow], *, base: int, session: DbSession) -> None:
        """Take the places after `base` for the rows, and save them there.

        Raises:
            Lost: another write has taken the places.
        """
        last = recorded[-1]
        advanced: Document = {"last_seq": last.row.seq, "digest": last.digest}
        if self._adoption is not None:
            advanced[MARK] = last.row.seq
        expected = {"_id": last.row.shard, "last_seq": base}
        documents = [rows.document(signed) for signed in recorded]
        with one_after_another():
            await asyncio.gather(
                update_expected(self._heads, expected, {"$set": advanced}, session),
                self._insert(documents, session),
            )

    async def _insert(self, documents: list[Document], session: DbSession) -> None:
        await self._rows.insert_many(documents, session=session)

    async def ids_at(self, shard: int, seqs: Collection[int], session: DbSession) -> list[str]:
        """The ids of the rows at these places."""
        places = {"shard": shard, "seq": {"$in": sorted(seqs)}}
        found = self._rows.find(places, session=session)
        return [rows.read(stored).row.id async for stored in found]
