"""Which catalogs are published, and what do they compile to?"""

from datetime import datetime

from rolecall import SHIPPED_CATALOGS, Catalog, CompiledCatalog, load_catalog
from shared.contracts import policy_objects
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.mongo import Database, DbSession, Document, insert_once, majority


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
        if name in SHIPPED_CATALOGS:
            return await self.catalog(load_catalog(name).id)
        versions = [row async for row in self._catalogs.find({"name": name})]
        if not versions:
            return None
        return await self.catalog(max(versions, key=lambda row: row["published_at"])["_id"])

    async def insert_catalog(
        self, catalog: Catalog, *, rev: int, now: datetime, session: DbSession
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

    async def catalog_objects(self) -> list[PolicyObject]:
        """Every published catalog, as authz takes it."""
        return [
            catalog_object(row["_id"], row["content"], rev=row["rev"])
            async for row in self._catalogs.find({})
        ]


def catalog_object(catalog_id: str, content: Document, *, rev: int = 0) -> PolicyObject:
    """A published catalog, as authz takes it."""
    state = policy_objects.CatalogObject(content=content)
    return PolicyObject(
        kind=PolicyObjectKind.CATALOG, id=catalog_id, rev=rev, state=state.model_dump(mode="json")
    )
