"""Which members had an external id at a past time."""

from collections.abc import Mapping

from shared.contracts.facts import Row
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.indexes import Index
from shared.journal import rows
from shared.journal.history_places import object_key
from shared.journal.row_archive import PastRow, PastRows
from shared.mongo import Database, Document, majority

PAGE_ENTRIES = 200
AMBIGUOUS = 2
"""As many members with one id are enough to know that it names neither."""

PAST_NAMES = (
    Index(
        collection="history",
        keys=(("shard", 1), ("called", 1), ("key", 1), ("place", 1)),
        partial={"called": {"$gt": ""}},
    ),
)
"""The members of an account who ever had an external id."""


class PastNames:
    """The external ids in the entries of `history`: `called` is the one that the row gave a member.

    It is the empty text in all other entries. Those that an earlier version has noted lack it; the
    mark `named` of a shard says up to which row they were completed.
    """

    def __init__(self, database: Database, past_rows: PastRows) -> None:
        self._places = majority(database, "history")
        self._marks = majority(database, "history_marks")
        self._rows = past_rows

    async def bearers(
        self, shard: int, *, account_id: str, external_id: str, until: str
    ) -> tuple[str, ...]:
        """The ids of the members who had this external id at a place, two at most."""
        called = _called(account_id, external_id)
        found: list[str] = []
        entry = await self._first(shard, called, after="")
        while entry is not None and len(found) < AMBIGUOUS:
            key = entry["key"]
            if await self._called_at(shard, key, until) == called:
                found.append(key.rpartition("/")[2])
            entry = await self._first(shard, called, after=key)
        return tuple(found)

    async def complete(self, shard: int, *, after: int, until: int) -> None:
        """Give the entries of these rows their names, where an earlier version has noted them."""
        last, end = f"{rows.place_key(shard, after)}/", f"{rows.place_key(shard, until)}/"
        while True:
            wanted = {"shard": shard, "_id": {"$gt": last, "$lt": end}}
            found = self._places.find(wanted).sort("_id", 1).limit(PAGE_ENTRIES)
            page = await found.to_list(PAGE_ENTRIES)
            await self._name(shard, [entry for entry in page if "called" not in entry])
            if len(page) < PAGE_ENTRIES:
                break
            last = page[-1]["_id"]
        await self._marks.update_one({"_id": shard}, {"$max": {"named": until}})

    async def _first(self, shard: int, called: str, *, after: str) -> Document | None:
        """An entry of the next member who ever had the name."""
        wanted = {"shard": shard, "called": called, "key": {"$gt": after}}
        found = await self._places.find(wanted).sort("key", 1).limit(1).to_list(1)
        return found[0] if found else None

    async def _called_at(self, shard: int, key: str, until: str) -> str | None:
        """The name that the member had at a place."""
        wanted = {"shard": shard, "key": key, "place": {"$lte": until}}
        found = await self._places.find(wanted).sort("place", -1).limit(1).to_list(1)
        return found[0]["called"] if found else None

    async def _name(self, shard: int, entries: list[Document]) -> None:
        found = await self._rows.at(shard, {entry["seq"] for entry in entries})
        for entry in entries:
            row = found.get(entry["seq"])  # without one, the entry was forgotten meanwhile
            called = "" if row is None else names_in(row).get(entry["key"], "")
            named = {"_id": entry["_id"], "shard": shard}
            await self._places.update_one(named, {"$set": {"called": called}})


def names_in(row: Row | PastRow) -> Mapping[str, str]:
    """The names that a row gives members, by the key of the member."""
    return {
        object_key(each.account_id, each.kind, each.id): _called(each.account_id, external_id)
        for each in row.policy_objects
        if each.account_id is not None and (external_id := _external_id(each))
    }


def _external_id(policy_object: PolicyObject) -> str | None:
    if policy_object.kind is not PolicyObjectKind.MEMBER or policy_object.state is None:
        return None
    external_id: str | None = policy_object.state.get("external_id")
    return external_id


def _called(account_id: str, external_id: str) -> str:
    return f"{account_id}/{external_id}"
