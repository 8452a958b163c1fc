"""What a former key has sealed in a database is sealed anew with the first key.

While a setting has several keys, each replica looks through the sealed values every five minutes.
When none is left that a former key has sealed, an operator removes that key.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag

from shared.contracts.facts import SHARDS
from shared.metrics import FORMER_SEALS
from shared.mongo import Database, DatabaseWatch, Document, majority

BATCH = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SealedField:
    """A field of a collection, with dots between its parts.

    `reseal` gets the id of a document and the value. It returns the value under the first key, or
    `None` if that one has sealed it already. `sharded` collections are looked through by shard.
    """

    collection: str
    path: str
    reseal: Callable[[str, bytes], bytes | None]
    sharded: bool = False

    def parts(self) -> Iterable[Document]:
        """The beginnings of the filters that find everything."""
        return [{"shard": number} for number in range(SHARDS)] if self.sharded else [{}]

    def value(self, row: Document) -> bytes | None:
        """The value in a document, if it has one."""
        found: Any = row
        for name in self.path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return None if found is None else bytes(found)


async def keep_resealing(
    database: Database, fields: Sequence[SealedField], *, service: str, pause: float
) -> None:
    """Look through the fields at once, and then after each pause. Never ends."""
    watch = DatabaseWatch("Values are not sealed with the new key.", pause=pause)
    while True:
        with watch.round():
            FORMER_SEALS.labels(service).set(await reseal_all(database, fields))
        await asyncio.sleep(pause)


async def reseal_all(database: Database, fields: Sequence[SealedField]) -> int:
    """Seal everything anew that a former key has sealed, and return how much that was."""
    return sum([await _reseal(database, field) for field in fields])


async def _reseal(database: Database, field: SealedField) -> int:
    rows, found = majority(database, field.collection), 0
    for part in field.parts():
        async for row in _all(database, field, part):
            value = field.value(row)
            try:
                anew = None if value is None else field.reseal(row["_id"], value)
            except InvalidTag:
                _log.error("No key opens %s of %s %s.", field.path, field.collection, row["_id"])
                continue
            if anew is not None:
                found += 1
                place = {"_id": row["_id"], **part, field.path: value}
                await rows.update_one(place, {"$set": {field.path: anew}})
    return found


async def _all(database: Database, field: SealedField, part: Document) -> AsyncIterator[Document]:
    """The documents of a part in the order of their ids, which other changes do not disturb."""
    rows, after = majority(database, field.collection), ""
    while True:
        wanted = {**part, "_id": {"$gt": after}}
        found = rows.find(wanted, {"_id": 1, field.path: 1}).sort("_id", 1).limit(BATCH)
        batch = [row async for row in found]
        for row in batch:
            yield row
        if len(batch) < BATCH:
            return
        after = batch[-1]["_id"]
