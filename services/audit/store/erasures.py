"""Erased people, the scan for their values, and the records without them, in MongoDB."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from pymongo import ReturnDocument

from services.audit.domain.erased_people import ErasedPerson, Traces
from services.audit.domain.erasures import ErasureScan
from services.audit.domain.records import Record
from services.audit.domain.sealed_records import Seal
from services.audit.store.records import document_of, record_in
from services.audit.store.trees import seal_document, seal_in
from shared.mongo import (
    AlreadyThere,
    Database,
    DbSession,
    Document,
    insert_once,
    majority,
    update_all_expected,
)

VERSION, SCAN, MARKS_KEY = "version", "scan", "marks key"
_TRACES = tuple(each.name for each in fields(Traces))


class ErasureRows:
    """The collections `erasures` and `erasure_state`, and what erasure changes in others."""

    def __init__(self, database: Database) -> None:
        self._erasures = majority(database, "erasures")
        self._erasure_state = majority(database, "erasure_state")
        self._erased_records = majority(database, "records")
        self._erased_seals = majority(database, "seals")
        self._erased_equivocations = majority(database, "equivocations")

    async def erasure_version(self, session: DbSession | None = None) -> int:
        """The number of changes that were made to the erased people."""
        found = await self._erasure_state.find_one({"_id": VERSION}, session=session)
        return 0 if found is None else int(found["version"])

    async def erased_after(
        self, version: int, session: DbSession | None = None
    ) -> list[ErasedPerson]:
        """The erased people of whom something is newer than this version."""
        found = self._erasures.find({"version": {"$gt": version}}, session=session)
        return [_person(each) async for each in found]

    async def erased_people(self, user_ids: Sequence[str]) -> list[ErasedPerson]:
        """Some erased people; 100 at most."""
        found = self._erasures.find({"_id": {"$in": list(user_ids)}})
        return [_person(each) async for each in found]

    async def erased_person(self, user_id: str, session: DbSession) -> ErasedPerson | None:
        """An erased person, or `None`."""
        found = await self._erasures.find_one({"_id": user_id}, session=session)
        return None if found is None else _person(found)

    async def note_erasure(
        self, person: ErasedPerson, *, now: datetime, session: DbSession
    ) -> None:
        """Note that the values of a person are to be erased, by these traces, too."""
        told: Document = {"at": person.at, "noted_at": now, "open": True}
        if person.home is not None:
            told["home"] = person.home
        await self._change(person.user_id, told, person.traces, session, insert=True)

    async def add_traces(
        self, learned: Mapping[str, Traces], session: DbSession, *, reopened: datetime | None = None
    ) -> None:
        """Add traces of erased people. `reopened` is when all records must be looked at again."""
        told = {} if reopened is None else {"noted_at": reopened, "open": True}
        for user_id, traces in sorted(learned.items()):
            await self._change(user_id, told, traces, session)

    async def _change(
        self,
        user_id: str,
        told: Document,
        traces: Traces,
        session: DbSession,
        *,
        insert: bool = False,
    ) -> None:
        state = await self._erasure_state.find_one_and_update(
            {"_id": VERSION},
            {"$inc": {"version": 1}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        added = {name: {"$each": sorted(getattr(traces, name))} for name in _TRACES}
        change: Document = {"$set": {**told, "version": state["version"]}, "$addToSet": added}
        await self._erasures.update_one({"_id": user_id}, change, upsert=insert, session=session)

    async def forget_traces(self, *, before: datetime) -> None:
        """Forget the traces of people who were erased before a moment."""
        for kept in ("addresses", "names"):
            old = {"at": {"$lt": before}, "open": False, kept: {"$ne": []}}
            await self._erasures.update_many(old, {"$set": {name: [] for name in _TRACES}})

    async def open_erasures(self, *, before: datetime, limit: int) -> list[str]:
        """The people whose values are to be erased, and who were noted before a moment."""
        wanted = {"open": True, "noted_at": {"$lte": before}}
        found = self._erasures.find(wanted, {"_id": 1}).sort("noted_at", 1).limit(limit)
        return [each["_id"] async for each in found]

    async def keep_marks_key(self, sealed: bytes) -> bytes:
        """Keep the sealed key of the marks, unless one is kept; return the one that is."""
        kept = await self._erasure_state.find_one_and_update(
            {"_id": MARKS_KEY},
            {"$setOnInsert": {"sealed_key": sealed}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return bytes(kept["sealed_key"])

    async def erasure_scan(self, session: DbSession | None = None) -> ErasureScan | None:
        """The scan that is not at its end, or `None`."""
        found = await self._erasure_state.find_one({"_id": SCAN}, session=session)
        if found is None:
            return None
        told = {each.name: found[each.name] for each in fields(ErasureScan)}
        lists = {name: tuple(told[name]) for name in ("people", "waiting")}
        return ErasureScan(**{**told, **lists})

    async def begin_scan(self, scan: ErasureScan) -> None:
        """Save a new scan.

        Raises:
            AlreadyThere: there is one.
        """
        await insert_once(self._erasure_state, {"_id": SCAN, **_scan(scan)})

    async def move_scan(
        self, before: ErasureScan, after: ErasureScan, session: DbSession | None = None
    ) -> None:
        """Save how far a scan is.

        Raises:
            AlreadyThere: another process was first.
        """
        told = {**_scan(after), "changes": before.changes + 1}
        expected = {"_id": SCAN, "begun": before.begun, "changes": before.changes}
        moved = await self._erasure_state.update_one(expected, {"$set": told}, session=session)
        if not moved.matched_count:
            raise AlreadyThere(SCAN)

    async def end_scan(self, scan: ErasureScan, session: DbSession) -> None:
        """End a scan: its people are erased, unless something came of them meanwhile.

        Raises:
            AlreadyThere: another process was first; the transaction has ended.
        """
        expected = {"_id": SCAN, "begun": scan.begun, "changes": scan.changes}
        ended = await self._erasure_state.delete_one(expected, session=session)
        if not ended.deleted_count:
            raise AlreadyThere(SCAN)
        done = {"_id": {"$in": list(scan.people)}, "noted_at": {"$lte": scan.begun}}
        await self._erasures.update_many(done, {"$set": {"open": False}}, session=session)

    async def page_of_records(self, after: str, *, limit: int) -> list[Record]:
        """Records of all accounts, in the order of their ids."""
        found = self._erased_records.find({"_id": {"$gt": after}}).sort("_id", 1).limit(limit)
        return [record_in(each) async for each in found]

    async def sealed_pairs(
        self, event_ids: Sequence[str], session: DbSession
    ) -> list[tuple[Record, Seal | None]]:
        """Records with their seals; 100 at most."""
        wanted = {"_id": {"$in": sorted(event_ids)}}
        seals = {
            each["_id"]: seal_in(each)
            async for each in self._erased_seals.find(wanted, session=session)
        }
        found = self._erased_records.find(wanted, session=session)
        return [(record_in(each), seals.get(each["_id"])) async for each in found]

    async def save_erased(self, erased: Sequence[tuple[Record, Seal]], session: DbSession) -> None:
        """Save records and seals without the values that were erased.

        Raises:
            Lost: retention has deleted one meanwhile.
        """
        records = [({"_id": each.id}, {"$set": document_of(each)}) for each, _ in erased]
        await update_all_expected(self._erased_records, records, session)
        seals = [({"_id": seal.event_id}, {"$set": seal_document(seal)}) for _, seal in erased]
        await update_all_expected(self._erased_seals, seals, session)

    async def count_erased(self, counts: Mapping[tuple[str, str], int], session: DbSession) -> None:
        """Count records of trees of which values of people were erased."""
        for (user_id, tree), number in sorted(counts.items()):
            added = {"$inc": {f"counts.{tree}": number}}
            await self._erasures.update_one({"_id": user_id}, added, session=session)

    async def counted_erased(self, user_id: str) -> dict[str, int]:
        """The records of each tree that no fact has told of."""
        found = await self._erasures.find_one({"_id": user_id}, {"counts": 1})
        return dict((found or {}).get("counts", {}))

    async def take_count(self, user_id: str, tree: str, session: DbSession) -> int:
        """Take the number of records of a tree, for the fact that tells it; 0 if it was told."""
        field = f"counts.{tree}"
        found = await self._erasures.find_one_and_update(
            {"_id": user_id, field: {"$gt": 0}}, {"$unset": {field: ""}}, session=session
        )
        return 0 if found is None else int(found["counts"][tree])

    async def page_of_equivocations(self, after: str, *, limit: int) -> list[tuple[str, str, str]]:
        """Equivocations in the order of their keys: the key, the event's id, and the event."""
        wanted = {"_id": {"$gt": after}}
        found = self._erased_equivocations.find(wanted).sort("_id", 1).limit(limit)
        return [(each["_id"], each["event_id"], each["event"] or "") async for each in found]

    async def erase_equivocation(self, key: str, event_id: str, *, now: datetime) -> None:
        """Keep that there was an equivocation, without its event; safe to repeat."""
        kept = {"event_id": event_id, "event": None, "seen_at": now}
        await self._erased_equivocations.update_one(
            {"_id": f"{event_id}.erased"}, {"$setOnInsert": kept}, upsert=True
        )
        await self._erased_equivocations.delete_one({"_id": key})


def _person(stored: Document) -> ErasedPerson:
    return ErasedPerson(
        user_id=stored["_id"],
        home=stored.get("home"),
        at=stored["at"],
        traces=Traces(**{name: frozenset(stored[name]) for name in _TRACES}),
    )


def _scan(scan: ErasureScan) -> Document:
    told: Document = {each.name: getattr(scan, each.name) for each in fields(ErasureScan)}
    return told | {name: list(told[name]) for name in ("people", "waiting")}
