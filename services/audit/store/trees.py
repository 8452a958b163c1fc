"""The trees of the audit log in MongoDB: heads, tiles, seals, checkpoints, and the progress.

A batch of leaves is saved in one transaction, which expects the heads that it has read. So two
sealers, or one that was paused, cannot append to one head twice.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rolecall.audit.sealed import SALT_BYTES
from services.audit.domain.checkpoints import TreeHead
from services.audit.domain.sealed_records import Seal
from services.audit.domain.tiles import Tile
from shared.contracts.facts import Position
from shared.mongo import (
    Database,
    DbSession,
    Document,
    insert_all_once,
    insert_missing,
    majority,
    update_all_expected,
    update_each,
)

IDS_AT_ONCE = 100
"""The ids in one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """A signed checkpoint of a tree."""

    size: int
    note: str
    signed_at: datetime


class TreeRows:
    """The trees, their tiles, seals and checkpoints."""

    def __init__(self, database: Database) -> None:
        self._trees = majority(database, "trees")
        self._tiles = majority(database, "tiles")
        self._seals = majority(database, "seals")
        self._checkpoints = majority(database, "checkpoints")
        self._progress = majority(database, "seal_progress")
        self._applied = majority(database, "inbox_marks")

    async def applied(self) -> dict[str, tuple[str, dict[int, int]]]:
        """How far every source is recorded without a gap: its epoch, and the row of each shard."""
        return {
            source["_id"]: (
                source["epoch"],
                {int(shard): seq for shard, seq in source["low"].items()},
            )
            async for source in self._applied.find({})
        }

    async def sealed_until(self, source: str, epoch: str) -> dict[int, int]:
        """How far the records of an epoch are sealed: the row of each shard."""
        found = self._progress.find({"source": source, "epoch": epoch})
        return {place["shard"]: place["seq"] async for place in found}

    async def sealed(
        self, places: Sequence[Position], session: DbSession
    ) -> dict[Position, int | None]:
        """How far the shards of these places are sealed; `None` before the first seal."""
        keys = {_place_key(place): place for place in places}
        found = self._progress.find({"_id": {"$in": sorted(keys)}}, session=session)
        stored = {each["_id"]: int(each["seq"]) async for each in found}
        return {place: stored.get(key) for key, place in keys.items()}

    async def advance(
        self, moves: Sequence[tuple[Position, int | None]], session: DbSession
    ) -> None:
        """Note that shards are sealed up to these places, if they were up to the others before.

        Raises:
            Lost: another sealer was first.
            AlreadyThere: another sealer was first; the transaction has ended.
        """
        new = [place for place, expected in moves if expected is None]
        if new:
            documents = ({"_id": _place_key(place), **place._asdict()} for place in new)
            await insert_all_once(self._progress, documents, session)
        moved = [
            ({"_id": _place_key(place), "seq": expected}, {"$set": {"seq": place.seq}})
            for place, expected in moves
            if expected is not None
        ]
        await update_all_expected(self._progress, moved, session)

    async def heads(self, trees: Collection[str], session: DbSession) -> dict[str, TreeHead]:
        """The heads of trees; one without leaves is empty."""
        found = self._trees.find({"_id": {"$in": sorted(trees)}}, session=session)
        stored = {tree["_id"]: _head(tree) async for tree in found}
        return {tree: stored.get(tree, TreeHead(tree, 0, ())) for tree in trees}

    async def tree_sizes(self, trees: Collection[str]) -> dict[str, int]:
        """The number of sealed records in each of these trees."""
        sizes = dict.fromkeys(trees, 0)
        for part in _parts(sorted(trees)):
            found = self._trees.find({"_id": {"$in": part}}, {"size": 1})
            sizes |= {tree["_id"]: int(tree["size"]) async for tree in found}
        return sizes

    async def tiles(
        self, names: Iterable[tuple[str, Tile]], session: DbSession | None = None
    ) -> dict[tuple[str, Tile], bytes]:
        """Those of the tiles that exist."""
        keys = {_tile_key(*name): name for name in names}
        found: dict[tuple[str, Tile], bytes] = {}
        for part in _parts(sorted(keys)):
            tiles = self._tiles.find({"_id": {"$in": part}}, session=session)
            found |= {keys[tile["_id"]]: bytes(tile["nodes"]) async for tile in tiles}
        return found

    async def grow(
        self,
        grown: Sequence[tuple[TreeHead, TreeHead]],
        tiles: Mapping[tuple[str, Tile], bytes],
        seals: Sequence[Seal],
        session: DbSession,
    ) -> None:
        """Save trees that have grown, from their heads before to those now.

        Raises:
            Lost: a tree has another head.
            AlreadyThere: a tree or a seal is there already; the transaction has ended.
        """
        new = [after for before, after in grown if not before.size]
        if new:
            await insert_all_once(self._trees, map(_head_document, new), session)
        await update_all_expected(
            self._trees,
            [
                (
                    {"_id": before.tree, "size": before.size},
                    {"$set": {"size": after.size, "peaks": list(after.peaks), "unsigned": True}},
                )
                for before, after in grown
                if before.size
            ],
            session,
        )
        await insert_all_once(self._seals, map(seal_document, seals), session)
        await self._save_tiles(tiles, session)

    async def _save_tiles(
        self, tiles: Mapping[tuple[str, Tile], bytes], session: DbSession
    ) -> None:
        writes = [
            ({"_id": _tile_key(*name)}, {"$set": {"tree": name[0], "nodes": nodes}})
            for name, nodes in tiles.items()
        ]
        await update_all_expected(self._tiles, writes, session, insert=True)

    async def unsigned(self, limit: int, *, without: Collection[str]) -> list[TreeHead]:
        """Trees that have grown since their last checkpoint, without some of them."""
        wanted: Document = {"unsigned": True}
        if without:
            wanted["_id"] = {"$nin": sorted(without)}
        found = self._trees.find(wanted).limit(limit)
        return [_head(tree) async for tree in found]

    async def checkpoint(self, tree: str) -> StoredCheckpoint | None:
        """The newest checkpoint of a tree, or `None`."""
        # The bound lets SecantusDB read the newest one alone (decision 85).
        found = self._checkpoints.find({"tree": tree, "size": {"$gt": 0}})
        newest = await found.sort("size", -1).limit(1).to_list(1)
        return _checkpoint(newest[0]) if newest else None

    async def checkpoint_of(self, tree: str, size: int) -> StoredCheckpoint | None:
        """The checkpoint of a tree of this size, or `None`."""
        found = await self._checkpoints.find_one({"_id": _checkpoint_key(tree, size)})
        return None if found is None else _checkpoint(found)

    async def add_checkpoints(
        self, signed: Sequence[tuple[TreeHead, str]], *, now: datetime
    ) -> None:
        """Store checkpoints of heads; safe to repeat, the first one of a size stays."""
        if not signed:
            return
        checkpoints: list[Document] = [
            {
                "_id": _checkpoint_key(head.tree, head.size),
                "tree": head.tree,
                "size": head.size,
                "note": note,
                "at": now,
            }
            for head, note in signed
        ]
        await insert_missing(self._checkpoints, checkpoints)
        stored = {"$set": {"unsigned": False}, "$unset": {"inconsistent": ""}}
        await update_each(
            self._trees, [({"_id": head.tree, "size": head.size}, stored) for head, _ in signed]
        )

    async def note_inconsistent(self, tree: str) -> None:
        """Note that a tree does not continue its last checkpoint, until it is signed again."""
        await self._trees.update_one({"_id": tree}, {"$set": {"inconsistent": True}})

    async def inconsistent_tree(self, tree: str) -> bool:
        """Return whether a tree is noted as inconsistent."""
        return await self._trees.find_one({"_id": tree, "inconsistent": True}) is not None

    async def inconsistent(self, after: str, *, limit: int) -> list[TreeHead]:
        """Trees that do not continue their last checkpoints, in the order of their names."""
        found = self._trees.find({"inconsistent": True, "_id": {"$gt": after}})
        return [_head(tree) async for tree in found.sort("_id", 1).limit(limit)]

    async def seal(self, event_id: str) -> Seal | None:
        """The seal of a record, or `None` while it is not sealed."""
        found = await self._seals.find_one({"_id": event_id})
        return None if found is None else seal_in(found)

    async def sealed_among(self, event_ids: Sequence[str], session: DbSession) -> set[str]:
        """Those of these records that are sealed; 100 ids at most."""
        found = self._seals.find({"_id": {"$in": list(event_ids)}}, {"_id": 1}, session=session)
        return {seal["_id"] async for seal in found}

    async def seals_of(self, event_ids: Sequence[str]) -> dict[str, Seal]:
        """The seals of those of these records that are sealed, by the ids of the records."""
        found: dict[str, Seal] = {}
        for part in _parts(event_ids):
            seals = self._seals.find({"_id": {"$in": part}})
            found |= {seal["_id"]: seal_in(seal) async for seal in seals}
        return found

    async def seals(self, tree: str, *, first: int, limit: int) -> list[Seal]:
        """The seals of neighbouring leaves, in their order."""
        wanted = {"tree": tree, "index": {"$gte": first, "$lt": first + limit}}
        return [seal_in(found) async for found in self._seals.find(wanted).sort("index", 1)]


def _parts(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield list(ids[start : start + IDS_AT_ONCE])


def _place_key(place: Position) -> str:
    return f"{place.source}.{place.epoch}.{place.shard}"


def _tile_key(tree: str, tile: Tile) -> str:
    return f"{tree}/{tile.level}/{tile.number}"


def _checkpoint_key(tree: str, size: int) -> str:
    return f"{tree}/{size:016d}"


def _head(stored: Document) -> TreeHead:
    return TreeHead(stored["_id"], stored["size"], tuple(map(bytes, stored["peaks"])))


def _head_document(head: TreeHead) -> Document:
    return {
        "_id": head.tree,
        "size": head.size,
        "peaks": list(head.peaks),
        "unsigned": True,
    }


def _checkpoint(stored: Document) -> StoredCheckpoint:
    return StoredCheckpoint(size=stored["size"], note=stored["note"], signed_at=stored["at"])


def seal_document(seal: Seal) -> Document:
    """The document of a seal."""
    # Not as members: their names come from users, and the database restricts names.
    return {
        "_id": seal.event_id,
        "tree": seal.tree,
        "index": seal.index,
        "paths": list(seal.salts),
        "salts": b"".join(seal.salts.values()),
        "erased": [list(each) for each in seal.erased.items()],
    }


def seal_in(stored: Document) -> Seal:
    """The seal that a document holds."""
    salts = bytes(stored["salts"])
    return Seal(
        event_id=stored["_id"],
        tree=stored["tree"],
        index=stored["index"],
        salts={
            path: salts[at * SALT_BYTES : (at + 1) * SALT_BYTES]
            for at, path in enumerate(stored["paths"])
        },
        erased=dict(stored["erased"]),
    )
