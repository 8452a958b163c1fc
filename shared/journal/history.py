"""The history of a journal: where to find the state that an object had at a time.

The rows stay as they are. A collection beside them names, for each object of an account, the rows
that gave it a state. It is derived from the rows in their order, up to a mark for each shard. Rows
that a replica of an earlier version has written are found as well, and a write costs nothing more.
"""

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.contracts.facts import Row, content_time, shard_of
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.contracts.refusals import HistoryUnavailable
from shared.indexes import Index
from shared.journal import rows
from shared.journal.forgetting import Forgetting
from shared.journal.history_places import Mark, milliseconds, object_key, place_of, time_of
from shared.journal.past_names import PastNames, names_in
from shared.journal.row_archive import ARCHIVE, PastRow, PastRows, RowArchive
from shared.mongo import (
    AlreadyThere,
    Database,
    DatabaseWatch,
    Document,
    insert_missing,
    insert_once,
    majority,
)

PAGE_ROWS = 200
"""The rows that one step of the derivation reads."""
BEGINS = "begins"
"""The `_id` of the mark of a history that lacks its beginning; `at` is when it begins."""

HISTORY = (Index(collection="history", keys=(("shard", 1), ("key", 1), ("place", 1))),)
"""The rows of one object, in their order."""


class ObjectName(NamedTuple):
    """The name of a policy object in its account."""

    kind: PolicyObjectKind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastObjects:
    """The objects of an account that existed at a time, and the revision of its last change."""

    objects: tuple[PolicyObject, ...]
    revision: str | None


class History:
    """The past states of the objects of accounts.

    A row counts from its own time on, or from the latest time of a row before it in its shard: the
    clocks of two replicas differ, and their changes keep their order. The state at a time is that
    after the last row that counts then.
    """

    def __init__(
        self, database: Database, *, kept: timedelta | None = None, page_rows: int = PAGE_ROWS
    ) -> None:
        """`kept` is for how long the past is known; `None` is without a limit."""
        self._rows = majority(database, "journal")
        self._heads = majority(database, "heads")
        self._places = majority(database, "history")
        self._marks = majority(database, "history_marks")
        self._archive = RowArchive(database)
        self._past_rows = PastRows(database)
        self._names = PastNames(database, self._past_rows)
        self._forgetting = Forgetting(database, self._archive)
        self._kept = kept
        self._page_rows = page_rows

    async def as_of(
        self, account_id: str, names: Collection[ObjectName], at: datetime
    ) -> PastObjects:
        """The named objects of an account as they were at a time.

        Raises:
            HistoryUnavailable: rows that the answer may need are not kept.
        """
        shard = shard_of(account_id)
        mark = await self.derive(shard)
        if mark is None:
            return PastObjects(objects=(), revision=None)
        until = mark.until(at)
        keys = {object_key(account_id, *name): name for name in names}
        found = {key: await self._newest(shard, key, until) for key in (account_id, *keys)}
        if None in found.values() and not await self._is_whole(mark):
            raise await self._unavailable(shard)
        of_seq = await self._rows_at(shard, {seq for seq in found.values() if seq is not None})
        await self._require_kept(mark, until)
        changed = found.pop(account_id)
        states = [
            policy_object
            for key, seq in found.items()
            if seq is not None
            for policy_object in of_seq[seq].policy_objects
            if _key_of(policy_object) == key and policy_object.state is not None
        ]
        return PastObjects(
            objects=tuple(states),
            revision=None if changed is None else of_seq[changed].revision,
        )

    async def bearers(self, account_id: str, external_id: str, at: datetime) -> tuple[str, ...]:
        """The ids of the members who had an external id at a time, two at most.

        Raises:
            HistoryUnavailable: the history lacks rows, and so perhaps a member with this id.
        """
        mark = await self.derive(shard_of(account_id))
        if mark is None:
            return ()
        until = mark.until(at)
        if not await self._is_whole(mark):
            raise await self._unavailable(mark.shard)
        found = await self._names.bearers(
            mark.shard, account_id=account_id, external_id=external_id, until=until
        )
        await self._require_kept(mark, until)
        return found

    async def run(self, *, pause: float) -> None:
        """Derive again and again, so that a question has little left to derive. Never ends."""
        watch = DatabaseWatch("Questions about the past take longer.", pause=pause)
        while True:
            await asyncio.sleep(pause)
            with watch.round():
                await self.derive_all()

    async def derive_all(self) -> None:
        """Derive in each shard that has rows."""
        for head in [head async for head in self._heads.find({"last_seq": {"$gt": 0}})]:
            await self.derive(head["_id"])

    async def derive(self, shard: int) -> Mark | None:
        """Note the rows of a shard up to its head; `None` if it has none.

        Any number of processes may do it at once: all of them note the same.
        """
        head = await self._heads.find_one({"_id": shard}) or {}
        mark = await self._mark(shard)
        while mark is None or mark.seq < head.get("last_seq", 0):
            page = await self._page(shard, mark)
            if not page:
                break
            mark = await self._note(shard, page, mark)
        if mark is not None and mark.named < mark.seq:
            await self._names.complete(shard, after=mark.named, until=mark.seq)
        return mark

    async def _page(self, shard: int, mark: Mark | None) -> list[Row]:
        """The rows after the mark. Before the first mark: from the oldest row that is kept."""
        after = 0 if mark is None else mark.seq
        if mark is None:
            oldest = await self._oldest(shard)
            if oldest is None:
                return []
            after = oldest.seq - 1
        wanted = {"shard": shard, "seq": {"$gt": after, "$lte": after + self._page_rows}}
        return [rows.read(stored).row async for stored in self._rows.find(wanted).sort("seq", 1)]

    async def _note(self, shard: int, page: Sequence[Row], mark: Mark | None) -> Mark:
        """Note a page, then move the mark over it."""
        since = 0 if mark is None else mark.since
        noted: list[Document] = []
        for row in page:
            since = max(since, milliseconds(row.occurred_at))
            place, names = place_of(since, row.seq), names_in(row)
            noted += [
                {"_id": f"{rows.key(row)}.{number}", "shard": shard, "key": key, "place": place}
                | {"seq": row.seq, "called": names.get(key, "")}
                for number, key in enumerate(_keys_of(row))
            ]
        if noted:
            await insert_missing(self._places, noted)
        moved = {"seq": page[-1].seq, "since": since}
        if mark is None:
            first = {"_id": shard, "first_seq": page[0].seq, **moved}
            with contextlib.suppress(AlreadyThere):  # another process noted the same
                await insert_once(self._marks, first)
        else:
            await self._marks.update_one({"_id": shard, "seq": mark.seq}, {"$set": moved})
        return await self._mark(shard) or Mark(
            shard=shard, first_seq=page[0].seq, seq=page[-1].seq, since=since
        )

    async def _mark(self, shard: int) -> Mark | None:
        stored = await self._marks.find_one({"_id": shard})
        if stored is None:
            return None
        return Mark(
            shard=shard,
            first_seq=stored["first_seq"],
            seq=stored["seq"],
            since=stored["since"],
            told=stored.get("told", ""),
            named=stored.get("named", 0),
        )

    async def _newest(self, shard: int, key: str, until: str) -> int | None:
        wanted = {"shard": shard, "key": key, "place": {"$lte": until}}
        found = self._places.find(wanted).sort("place", -1).limit(1)
        return next((entry["seq"] for entry in await found.to_list(1)), None)

    async def _rows_at(self, shard: int, seqs: Collection[int]) -> dict[int, PastRow]:
        found = await self._past_rows.at(shard, seqs)
        if len(found) < len(seqs):
            raise await self._unavailable(shard)
        return found

    async def keep(self, shard: int, *, after: int, until: int) -> int:
        """Keep what answers may need of rows that leave the journal; return the last such row."""
        mark = await self.derive(shard)
        until = min(until, after if mark is None else mark.seq)
        wanted = {"shard": shard, "seq": {"$gt": after, "$lte": until}}
        found = [rows.read(stored).row async for stored in self._rows.find(wanted).sort("seq", 1)]
        await self._archive.add([row for row in found if _keys_of(row)])
        return until

    async def forget(self, shard: int, *, until: int, now: datetime) -> None:
        """Forget states that were over so long ago, of rows that have left the journal."""
        if self._kept is not None:
            before = place_of(milliseconds(now - self._kept), 0)
            await self._forgetting.forget(shard, until=until, before=before)

    async def _is_whole(self, mark: Mark) -> bool:
        """Whether an object that no row names did not exist."""
        return mark.first_seq == 1 and await self._marks.find_one({"_id": BEGINS}) is None

    async def _require_kept(self, mark: Mark, until: str) -> None:
        """Refuse what may rest on something forgotten; that is noted before it is forgotten."""
        if (await self._mark(mark.shard) or mark).told > until:
            raise await self._unavailable(mark.shard)

    async def _unavailable(self, shard: int) -> HistoryUnavailable:
        mark = await self._mark(shard)
        oldest = await self._archive.oldest_at(shard)
        if mark is not None and mark.told:
            oldest = time_of(mark.told)
        elif oldest is None and (row := await self._oldest(shard)) is not None:
            oldest = row.occurred_at
        return HistoryUnavailable(oldest="no time" if oldest is None else content_time(oldest))

    async def _oldest(self, shard: int) -> Row | None:
        """The oldest row of the journal."""
        found = await self._rows.find({"shard": shard}).sort("seq", 1).limit(1).to_list(1)
        return rows.read(found[0]).row if found else None


async def begin_history(database: Database, *, at: datetime) -> None:
    """Forget a history whose rows are no longer in the journal, and note that it begins again."""
    marks = majority(database, "history_marks")
    begins = {"$set": {"at": at}}
    await marks.update_one({"_id": BEGINS}, begins, upsert=True)
    await majority(database, "history").delete_many({})
    await majority(database, ARCHIVE).delete_many({})
    await marks.delete_many({"_id": {"$ne": BEGINS}})


def _keys_of(row: Row) -> list[str]:
    """The keys of the objects of accounts that a row gives a state, and of the accounts."""
    keys = [key for each in row.policy_objects if (key := _key_of(each)) is not None]
    accounts = dict.fromkeys(key.partition("/")[0] for key in keys)
    return list(dict.fromkeys([*accounts, *keys]))


def _key_of(policy_object: PolicyObject) -> str | None:
    """The key of an object of an account; catalogs are in none, and never change."""
    if policy_object.account_id is None:
        return None
    return object_key(policy_object.account_id, policy_object.kind, policy_object.id)
