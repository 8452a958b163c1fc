"""Which catalogs are published, and what do they compile to?"""

from datetime import datetime

from rolecall import SHIPPED, Catalog, CompiledCatalog, load
from shared.contracts import things
from shared.contracts.things import Kind, Thing
from shared.mongo import Database, Document, Session, insert_once, majority


class CatalogRows:
    """Published catalogs: a version never changes, so what was read once is kept."""

    def __init__(self, database: Database) -> None:
        self._catalogs = majority(database, "catalogs")
        self._compiled: dict[str, CompiledCatalog] = {}

    async def catalog(self, catalog_id: str) -> CompiledCatalog | None:
        """The published version `name@sha256`."""
        if catalog_id not in self._compiled:
            found = await self._catalogs.find_one({"_id": catalog_id})
            if found is None:
                return None
            published = Catalog.from_published(found["content"])
            self._compiled[catalog_id] = CompiledCatalog(published, published_as=catalog_id)
        return self._compiled[catalog_id]

    async def catalog_named(self, name: str) -> CompiledCatalog | None:
        """The published version of that id; of a bare name the shipped one, or else the newest."""
        if "@" in name:
            return await self.catalog(name)
        if name in SHIPPED:
            return await self.catalog(load(name).id)
        versions = [row async for row in self._catalogs.find({"name": name})]
        if not versions:
            return None
        return await self.catalog(max(versions, key=lambda row: row["published_at"])["_id"])

    async def insert_catalog(
        self, catalog: Catalog, *, rev: int, now: datetime, session: Session
    ) -> None:
        """Publish a version.

        Raises:
            AlreadyThere: it is published.
        """
        row = {
            "_id": catalog.id,
            "name": catalog.name,
            "content": catalog.to_mapping(),
            "published_at": now,
            "rev": rev,
        }
        await insert_once(self._catalogs, row, session)

    async def catalog_things(self) -> list[Thing]:
        """Every published catalog, as authz takes it."""
        return [
            catalog_thing(row["_id"], row["content"], rev=row["rev"])
            async for row in self._catalogs.find({})
        ]


def catalog_thing(catalog_id: str, content: Document, *, rev: int = 0) -> Thing:
    """A published catalog, as authz takes it."""
    state = things.CatalogState(content=content)
    return Thing(kind=Kind.CATALOG, id=catalog_id, rev=rev, state=state.model_dump(mode="json"))
