"""Registered resources in the database."""

from collections.abc import Collection, Iterator, Sequence

from pymongo import ReplaceOne

from services.team.domain.resources import RegisteredResource, ResourceFilter, ResourceKey
from services.team.store.places import at
from shared.contracts.facts import shard_of
from shared.documents import document, read
from shared.ids import AccountId, UserId
from shared.mongo import Database, DbSession, Document, insert_all_once, majority


class ResourceRows:
    """The collection `resources`."""

    def __init__(self, database: Database) -> None:
        self._resources = majority(database, "resources")

    async def resource(
        self, account_id: AccountId, key: ResourceKey, session: DbSession | None = None
    ) -> RegisteredResource | None:
        """The account's resource of that type and id."""
        return (await self.resources_among(account_id, [key], session)).get(key)

    async def resources_among(
        self, account_id: AccountId, keys: Collection[ResourceKey], session: DbSession | None = None
    ) -> dict[ResourceKey, RegisteredResource]:
        """Those of these resources that are registered."""
        rows = self._resources.find(_these(account_id, keys), session=session)
        found = [read_resource(row) async for row in rows]
        return {resource.key: resource for resource in found}

    async def resource_page(
        self,
        account_id: AccountId,
        wanted: ResourceFilter,
        *,
        after: ResourceKey | None = None,
        limit: int,
        session: DbSession | None = None,
    ) -> list[RegisteredResource]:
        """The account's resources that are meant, by type and id, from after this one on."""
        found: list[RegisteredResource] = []
        for part in _filters(account_id, wanted, after=after):
            room = limit - len(found)
            if room > 0:
                rows = self._resources.find(part, session=session).sort("_id", 1).limit(room)
                found += [read_resource(row) async for row in rows]
        return found

    async def count_resources(
        self, account_id: AccountId, wanted: ResourceFilter, session: DbSession | None = None
    ) -> int:
        """How many of the account's resources are meant."""
        parts = _filters(account_id, wanted)
        return sum([await self._resources.count_documents(part, session=session) for part in parts])

    async def resource_types(
        self, account_id: AccountId, *, limit: int, session: DbSession | None = None
    ) -> list[str]:
        """The first types of the account's resources; each one costs a look into the index."""
        found: list[str] = []
        after = f"{account_id}/"
        while len(found) < limit:
            wanted = {"shard": shard_of(account_id), "_id": {"$gt": after, "$lt": f"{account_id}0"}}
            row = await self._resources.find_one(wanted, sort=[("_id", 1)], session=session)
            if row is None:
                break
            found.append(row["type"])
            after = f"{account_id}/{row['type']}0"
        return found

    async def insert_resources(
        self, resources: Sequence[RegisteredResource], *, rev: int, session: DbSession
    ) -> None:
        """Save new resources.

        Raises:
            AlreadyThere: one of them is registered.
        """
        await insert_all_once(self._resources, [_resource(one, rev) for one in resources], session)

    async def replace_resources(
        self, resources: Sequence[RegisteredResource], *, rev: int, session: DbSession
    ) -> None:
        """Save changed resources of one account."""
        writes = [
            ReplaceOne(at(one.account_id, _key(one.account_id, one.key)), _resource(one, rev))
            for one in resources
        ]
        await self._resources.bulk_write(writes, ordered=False, session=session)

    async def give_resources(
        self,
        account_id: AccountId,
        keys: Collection[ResourceKey],
        owner_id: UserId,
        *,
        rev: int,
        session: DbSession,
    ) -> None:
        """Give these resources another owner."""
        given = {"$set": {"owner_id": owner_id, "rev": rev}}
        await self._resources.update_many(_these(account_id, keys), given, session=session)

    async def delete_resource(self, resource: RegisteredResource, session: DbSession) -> None:
        """Delete a resource."""
        await self._resources.delete_many(
            _these(resource.account_id, [resource.key]), session=session
        )


def read_resource(row: Document) -> RegisteredResource:
    """The resource of a document."""
    return read(RegisteredResource, row)


def _these(account_id: AccountId, keys: Collection[ResourceKey]) -> Document:
    names = [_key(account_id, key) for key in sorted(keys)]
    return {"_id": {"$in": names}, "shard": shard_of(account_id)}


def _filters(
    account_id: AccountId, wanted: ResourceFilter, *, after: ResourceKey | None = None
) -> Iterator[Document]:
    """The queries that together find what is meant, in order: each is one range of an index.

    An `_id` begins with account and type, and `0` comes after the `/` that ends either.
    """
    query: Document = {"shard": shard_of(account_id)}
    if wanted.owner_id is not None:
        query["owner_id"] = wanted.owner_id
    if wanted.project_id is not None:
        query["project_id"] = wanted.project_id
    last = "" if after is None else _key(account_id, after)
    places = [""] if wanted.types is None else [f"{kind}/" for kind in sorted(wanted.types)]
    for place in places:
        first = f"{account_id}/{place}"
        yield {**query, "_id": {"$gt": max(first, last), "$lt": f"{first[:-1]}0"}}


def _key(account_id: AccountId, key: ResourceKey) -> str:
    return f"{account_id}/{key[0]}/{key[1]}"


def _resource(resource: RegisteredResource, rev: int) -> Document:
    account_id = resource.account_id
    key = _key(account_id, resource.key)
    return document(resource, _id=key, shard=shard_of(account_id), rev=rev)
