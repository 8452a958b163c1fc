"""Published catalogs in the database, and what they compile to."""

from datetime import datetime

from rolecall import SHIPPED_CATALOGS, Catalog, CompiledCatalog, load_catalog
from services.team.domain.accounts import Account
from services.team.domain.catalogs import CatalogVersion, catalog_object
from shared.contracts.policy_objects import PolicyObject
from shared.mongo import Database, DbSession, insert_once, majority


class CatalogRows:
    """The collection `catalogs`. A version never changes, so it is kept after the first read."""

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

    async def catalog_of(self, account: Account) -> CompiledCatalog:
        """The account's catalog, with its custom roles; raises as `published`."""
        catalog = await self.published(account.catalog)
        return catalog.with_roles({role.role_id: role for role in account.roles})

    async def published(self, catalog_id: str) -> CompiledCatalog:
        """The version that an account names.

        Raises:
            LookupError: it is not published, although the account names it.
        """
        catalog = await self.catalog(catalog_id)
        if catalog is None:
            raise LookupError(f"catalog {catalog_id} is not published")
        return catalog

    async def catalog_named(self, name: str) -> CompiledCatalog | None:
        """The published version of that id; for a bare name the shipped one, or else the newest."""
        if "@" in name:
            return await self.catalog(name)
        if name in SHIPPED_CATALOGS:
            return await self.catalog(load_catalog(name).id)
        versions = await self.catalog_versions(name=name)
        return await self.catalog(versions[0].catalog_id) if versions else None

    async def catalog_versions(self, *, name: str | None = None) -> list[CatalogVersion]:
        """The published versions without their content, the newest first; of one name or all."""
        wanted = {} if name is None else {"name": name}
        shown = {"name": 1, "published_at": 1, "content.title": 1}
        found = [
            CatalogVersion(
                catalog_id=row["_id"],
                name=row["name"],
                title=row["content"]["title"],
                published_at=row["published_at"],
            )
            async for row in self._catalogs.find(wanted, shown)
        ]
        return sorted(found, key=lambda one: (one.published_at, one.catalog_id), reverse=True)

    async def insert_catalog(
        self, catalog: Catalog, *, rev: int, now: datetime, session: DbSession
    ) -> None:
        """Publish a version.

        Raises:
            AlreadyThere: the version is published.
        """
        row = {
            "_id": catalog.id,
            "name": catalog.name,
            "content": catalog.to_mapping(),
            "published_at": now,
            "rev": rev,
        }
        await insert_once(self._catalogs, row, session)

    async def catalog_object_of(self, catalog_id: str) -> list[PolicyObject]:
        """The published version as authz reads it; nothing if it is not published."""
        found = await self._catalogs.find_one({"_id": catalog_id})
        if found is None:
            return []
        return [catalog_object(found["_id"], found["content"], rev=found["rev"])]

    async def catalog_objects(
        self, session: DbSession, *, after: str, limit: int
    ) -> list[PolicyObject]:
        """The published catalogs whose id comes after this one, as authz reads them."""
        wanted = {"_id": {"$gt": after}}
        found = self._catalogs.find(wanted, session=session).sort("_id", 1).limit(limit)
        return [
            catalog_object(row["_id"], row["content"], rev=row["rev"])
            for row in await found.to_list(limit)
        ]
