"""Declared indexes, and how a database gets them."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.mongo import (
    Collection,
    Database,
    Document,
    IndexModel,
    create_indexes,
    drop_index,
    majority,
)
from shared.problems import StartRefused

Step = Callable[[Database], Coroutine[Any, Any, None]]
"""A change of a database's form."""

_NOT_COMPARED = frozenset({"v", "ns", "name", "key", "background", "expireAfterSeconds"})
"""Members of a stored index that are not options, or that are compared on their own."""


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
        """Return whether the stored index is this one, apart from its name and time to live.

        Every other option counts. An index that is sparse, hidden or has a collation does not serve
        the queries of one that is not.
        """
        stored_options = {
            name: option
            for name, option in stored.items()
            if name not in _NOT_COMPARED and option is not False
        }
        declared = self.options()
        declared.pop("expireAfterSeconds", None)
        return tuple(stored["key"].items()) == self.keys and stored_options == declared

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

    def model(self, **others: Any) -> IndexModel:
        """The index as the driver names it, with other options in place of its own."""
        return IndexModel(list(self.keys), name=self.full_name, **self.options() | others)


@dataclass(frozen=True)
class IndexStep:
    """A step that builds these indexes."""

    indexes: tuple[Index, ...]

    async def __call__(self, database: Database) -> None:
        """Build them."""
        await build_indexes(database, *self.indexes)


@dataclass(frozen=True)
class DropStep:
    """A step that drops the indexes with these names of each collection, where they are."""

    names: Mapping[str, Sequence[str]]

    async def __call__(self, database: Database) -> None:
        """Drop them."""
        for name, dropped in self.names.items():
            collection = majority(database, name)
            stored = {entry["name"] async for entry in collection.list_indexes()}
            for index in stored.intersection(dropped):
                await drop_index(collection, index)


def index_step(*indexes: Index) -> IndexStep:
    """Return a migration step that builds these indexes."""
    return IndexStep(indexes)


def drop_step(names: Mapping[str, Sequence[str]]) -> DropStep:
    """Return a migration step that drops these indexes of each collection, where they are."""
    return DropStep(names)


async def build_last_forms(database: Database, steps: Iterable[Step]) -> None:
    """Build what all steps together leave behind, in a database that has no collection yet.

    An index that a later step drops is not built, one that a later step changes only in its last
    form. Each collection takes one command. One of which no index is left is made empty: where it
    is missing, the first two transactions that write to it would exclude each other.
    """
    last: dict[tuple[str, str], Index] = {}
    named: dict[str, Index] = {}
    for step in steps:
        if isinstance(step, IndexStep):
            last |= {(index.collection, index.full_name): index for index in step.indexes}
            named |= {index.collection: index for index in step.indexes}
        elif isinstance(step, DropStep):
            for collection, names in step.names.items():
                for name in names:
                    last.pop((collection, name), None)
    for name in dict.fromkeys(index.collection for index in last.values()):
        models = [index.model() for index in last.values() if index.collection == name]
        await create_indexes(majority(database, name), models)
        named.pop(name)
    for name, index in named.items():
        await create_indexes(majority(database, name), [index.model()])
        await drop_index(majority(database, name), index.full_name)


async def build_indexes(database: Database, *indexes: Index) -> None:
    """Build the indexes, wait until each is in force, and apply a changed time to live.

    The listing of a database also names indexes whose build has not ended. The build is therefore
    requested for every index: the database answers at once when the index is ready, and joins the
    build that runs. The indexes of one collection are one command, which reads the documents once.
    Safe to repeat, and to run twice at once.

    Raises:
        IndexConflict: an index of this name has other keys or options, or an equal one has another
            name. No index of that collection was built.
    """
    for name in dict.fromkeys(index.collection for index in indexes):
        await _build_in(database, name, [index for index in indexes if index.collection == name])


async def _build_in(database: Database, name: str, indexes: Sequence[Index]) -> None:
    collection = majority(database, name)
    stored = {entry["name"]: entry async for entry in collection.list_indexes()}
    models: list[IndexModel] = []
    other_ttl: list[Index] = []
    for index in indexes:
        same_name = stored.get(index.full_name)
        options = index.options()
        if same_name is None:
            _refuse_twin(index, collection, stored)
        else:
            _refuse_other(index, collection, same_name)
            if index.ttl_seconds is not None:
                # A request with another time to live would be refused.
                options["expireAfterSeconds"] = same_name["expireAfterSeconds"]
        models.append(index.model(**options))
        if options.get("expireAfterSeconds") != index.ttl_seconds:
            other_ttl.append(index)
    await create_indexes(collection, models)
    for index in other_ttl:
        await _change_ttl(database, index)


async def _change_ttl(database: Database, index: Index) -> None:
    await database.command(
        {
            "collMod": index.collection,
            "index": {"name": index.full_name, "expireAfterSeconds": index.ttl_seconds},
            "writeConcern": {"w": "majority"},
        }
    )


def _refuse_other(index: Index, collection: Collection, stored: Document) -> None:
    no_ttl = stored.get("expireAfterSeconds") is None
    if not index.matches(stored) or no_ttl is not (index.ttl_seconds is None):
        raise IndexConflict(
            f"The index {index.full_name} of {collection.full_name} has other keys or "
            f"options than this version declares. Drop the index by hand, or add a migration that "
            f"does, then start again. It has {_described(stored)}, declared is "
            f"{_described({'key': dict(index.keys), **index.options()})}."
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
