"""Published catalogs in the database, and what they compile to."""

from datetime import datetime

from rolecall import SHIPPED_CATALOGS, Catalog, CompiledCatalog, load_catalog
from services.team.domain.accounts import Account
from shared.contracts import policy_objects
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.mongo import Database, DbSession, Document, insert_once, majority


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
        """The account's catalog, with its custom roles.

        Raises:
            LookupError: it is not published, although the account names it.
        """
        catalog = await self.catalog(account.catalog)
        if catalog is None:
            raise LookupError(f"catalog {account.catalog} is not published")
        return catalog.with_roles({role.role_id: role for role in account.roles})

    async def catalog_named(self, name: str) -> CompiledCatalog | None:
        """The published version of that id; for a bare name the shipped one, or else the newest."""
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

    async def catalog_objects(self, session: DbSession) -> list[PolicyObject]:
        """Every published catalog, as authz reads it."""
        return [
            catalog_object(row["_id"], row["content"], rev=row["rev"])
            async for row in self._catalogs.find({}, session=session)
        ]


def catalog_object(catalog_id: str, content: Document, *, rev: int = 0) -> PolicyObject:
    """A published catalog, as authz reads it."""
    state = policy_objects.CatalogObject(content=content)
    return PolicyObject(
        kind=PolicyObjectKind.CATALOG, id=catalog_id, rev=rev, state=state.model_dump(mode="json")
    )
