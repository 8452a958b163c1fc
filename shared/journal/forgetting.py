"""The end of a history: states that were over before a moment are forgotten.

What an object was at that moment stays, however old it is. So each question about a later time is
answered as before, and a question about an earlier time is refused.
"""

from collections.abc import Sequence

from shared.journal import rows
from shared.journal.row_archive import RowArchive
from shared.mongo import Database, Document, majority

PAGE_ENTRIES = 200


class Forgetting:
    """Walks over the entries of `history` in their order; each makes those before it needless.

    The mark of a shard has `told`: no question about a place before it is answered. It is stored
    before an entry is deleted. `forgotten` is the entry up to which the walk has come.
    """

    def __init__(self, database: Database, archive: RowArchive) -> None:
        self._places = majority(database, "history")
        self._marks = majority(database, "history_marks")
        self._archive = archive

    async def forget(self, shard: int, *, until: int, before: str) -> None:
        """Forget what was over before a place; only of rows that have left the journal."""
        mark = await self._marks.find_one({"_id": shard})
        if mark is None:
            return
        last = mark.get("forgotten", "")
        while page := await self._page(shard, after=last, until=until):
            over = [entry for entry in page if entry["place"] < before]
            if over:
                last = over[-1]["_id"]
                await self._note(shard, "told", over[-1]["place"])
                for entry in over:
                    await self._supersede(shard, entry)
                await self._note(shard, "forgotten", last)
            if len(over) < len(page):
                return

    async def _page(self, shard: int, *, after: str, until: int) -> Sequence[Document]:
        first, end = rows.place_key(shard, 1), f"{rows.place_key(shard, until)}/"
        wanted = {"shard": shard, "_id": {"$gt": max(after, first), "$lt": end}}
        return await self._places.find(wanted).sort("_id", 1).limit(PAGE_ENTRIES).to_list(None)

    async def _note(self, shard: int, name: str, place: str) -> None:
        await self._marks.update_one({"_id": shard}, {"$max": {name: place}})

    async def _supersede(self, shard: int, entry: Document) -> None:
        """Delete the earlier entries of an object, and rows that none names any more."""
        earlier = {"shard": shard, "key": entry["key"], "place": {"$lt": entry["place"]}}
        for old in [each async for each in self._places.find(earlier)]:
            key = rows.place_key(shard, old["seq"])
            named = {"shard": shard, "_id": {"$gt": key, "$lt": f"{key}/"}}
            if await self._places.count_documents(named, limit=2) == 1:
                await self._archive.delete(shard, old["seq"])
            await self._places.delete_one({"shard": shard, "_id": old["_id"]})
