"""Declared indexes, and how a database gets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.migrations import Step
from shared.mongo import Collection, Database, Document, create_index, majority
from shared.start import StartRefused


class IndexConflict(StartRefused):
    """An index of the database contradicts the declared one."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """One index of one collection.

    `ttl_seconds` deletes documents that long after the moment in the indexed field, `partial` is
    the filter of a partial index. The default name is the driver's: `account_id_1_user_id_1`.
    """

    collection: str
    keys: tuple[tuple[str, int], ...]
    name: str = ""
    unique: bool = False
    partial: Mapping[str, Any] | None = None
    ttl_seconds: int | None = None

    @property
    def full_name(self) -> str:
        """The given name, else the driver's default."""
        return self.name or "_".join(f"{field}_{order}" for field, order in self.keys)

    def matches(self, stored: Document) -> bool:
        """Tell whether the stored index is this one, apart from its name and time to live."""
        return (
            tuple(stored["key"].items()) == self.keys
            and bool(stored.get("unique")) is self.unique
            and stored.get("partialFilterExpression") == (self.partial and dict(self.partial))
        )

    def options(self) -> Document:
        """The options that are set, as the database names them."""
        options: Document = {}
        if self.unique:
            options["unique"] = True
        if self.partial is not None:
            options["partialFilterExpression"] = dict(self.partial)
        if self.ttl_seconds is not None:
            options["expireAfterSeconds"] = self.ttl_seconds
        return options


def index_step(*indexes: Index) -> Step:
    """Return the step of a migration that builds the indexes."""

    async def build(database: Database) -> None:
        await build_indexes(database, *indexes)

    return build


async def build_indexes(database: Database, *indexes: Index) -> None:
    """Build the indexes that are missing, and apply a changed time to live to those that are there.

    Safe to repeat, and to run twice at once: the database joins two equal builds.

    Raises:
        IndexConflict: an index of this name has other keys or options, or an equal one has another
            name.
    """
    for index in indexes:
        collection = majority(database, index.collection)
        stored = {entry["name"]: entry async for entry in collection.list_indexes()}
        same_name = stored.get(index.full_name)
        if same_name is not None:
            await _adjust(database, index, same_name)
        else:
            _refuse_twin(index, collection, stored)
            await create_index(collection, index.keys, name=index.full_name, **index.options())


async def _adjust(database: Database, index: Index, stored: Document) -> None:
    ttl = stored.get("expireAfterSeconds")
    if not index.matches(stored) or (ttl is None) is not (index.ttl_seconds is None):
        raise IndexConflict(
            f"The index {index.full_name} of {database.name}.{index.collection} has other keys or "
            f"options than this version declares. Drop the index by hand, or add a migration that "
            f"does, then start again. It has {_described(stored)}, declared is "
            f"{_described({'key': dict(index.keys), **index.options()})}."
        )
    if ttl != index.ttl_seconds:
        await database.command(
            {
                "collMod": index.collection,
                "index": {"name": index.full_name, "expireAfterSeconds": index.ttl_seconds},
                "writeConcern": {"w": "majority"},
            }
        )


def _refuse_twin(index: Index, collection: Collection, stored: Mapping[str, Document]) -> None:
    for name, entry in stored.items():
        if index.matches(entry):
            raise IndexConflict(
                f"The index {index.full_name} of {collection.full_name} exists under the name "
                f"{name}. Drop {name} by hand, or add a migration that does, then start again."
            )


def _described(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in stored.items()
        if name not in {"v", "name", "ns"}
    }
