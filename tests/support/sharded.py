"""A client that refuses what a sharded database would have to ask all of its shards.

It stands around the driver's client, and hands out its databases and collections in the same form.
Everything but the collections of growing data passes as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from shared.contracts.facts import SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shared.mongo import DbClient

GLOBAL = frozenset(
    {
        "addresses",  # which user an address has
        "allowances",  # of mailboxes, which all accounts share
        "catalogs",
        "counters",  # of attempts, by the id of what is counted
        "decoys",
        "elections",
        "ended_sessions",  # of earlier versions
        "external_ids",  # by which id a service client knows which user
        "former_epochs",  # one document for each restore
        "heads",  # one document for each shard, and its `_id` is the number
        "history_marks",  # as of `heads`
        "identities",  # by which issuer and subject which user signs in
        "inbox",  # of another service's facts, in the shards of its journal; kept for an hour
        "inbox_dead",
        "inbox_marks",
        "journal_confirmations",  # one document for each service
        "journal_before_restore",  # the rows of former epochs, by a range of `_id`
        "leases",
        "migrations",
        "people",
        "revoked_tokens",  # of service clients, for some minutes
        "service_clients",
        "sign_ups",  # of addresses that have no user
        "signing_keys",
        "sso_connections",  # of accounts, which are few
        "sso_domains",  # which connection has proved a domain
        "used_sign_ins",  # with issuers, by a hash
    }
)
"""The collections whose documents belong to no account, or those of identity to no user."""

TEAM_BROADCASTS = frozenset(
    {
        ("accounts", "catalog"),  # the number of accounts that have a catalog
        ("accounts", "deletes_at"),  # accounts whose deletion is due, for the worker
        ("accounts", "offer_expires_at"),  # offers of an ownership that are over, for the worker
        ("invitations", "_id"),  # an invitation by its link
        ("journal", "sent"),  # unsent rows, for the one sweeper
        ("members", "user_id"),  # the memberships of a user
    }
)
IDENTITY_BROADCASTS = frozenset(
    {
        ("api_tokens", "account_id"),  # the API tokens of all users in an account, for its managers
        ("journal", "sent"),  # unsent rows, for the one sweeper
        ("sessions", "_id"),  # a session of an earlier version, by its refresh token
        ("sessions", "account_id"),  # the sessions of all users in an account that is closed
        ("sessions", "ended"),  # sessions in the order of their end, for the snapshot
        ("users", "password_imported"),  # whether a user has a password of another system
    }
)
BROADCASTS = TEAM_BROADCASTS | IDENTITY_BROADCASTS
"""The collection and the first field of what asks every shard."""

EVERY_SHARD = list(range(SHARDS))
UPDATES = ("update_one", "update_many", "replace_one")
FILTERED = ("find", "find_one", "delete_one", "delete_many", "count_documents", *UPDATES)


class UnshardedError(AssertionError):
    """An operation of a growing collection does not name its shard."""


class _Around:
    def __init__(self, driven: Any) -> None:
        self._driven = driven

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driven, name)


class ShardedClient(_Around):
    """The client."""

    def __getitem__(self, name: str) -> ShardedDatabase:
        return ShardedDatabase(self._driven[name], self)


class ShardedDatabase(_Around):
    """One of its databases."""

    def __init__(self, driven: Any, client: ShardedClient) -> None:
        super().__init__(driven)
        self.client = client

    def __getitem__(self, name: str) -> Any:
        return around(self._driven[name])

    def get_collection(self, name: str, **options: Any) -> Any:
        return around(self._driven.get_collection(name, **options))


class ShardedCollection(_Around):
    """A growing collection. What is not checked here is refused."""

    def __getattr__(self, name: str) -> Any:
        if name in FILTERED:
            return self._filtered(name)
        if name in {"name", "full_name", "list_indexes"}:
            return getattr(self._driven, name)
        raise UnshardedError(f"{self._driven.name}.{name} is not checked here")

    def _filtered(self, name: str) -> Any:
        def call(wanted: Mapping[str, Any], *given: Any, **named: Any) -> Any:
            check_filter(self._driven.name, wanted)
            if name == "replace_one":
                check_document(self._driven.name, given[0])
            if named.get("upsert") and not isinstance(wanted.get("shard"), int):
                raise UnshardedError(f"{self._driven.name}: an upsert needs one shard: {wanted}")
            return getattr(self._driven, name)(wanted, *given, **named)

        return call

    def insert_one(self, document: Any, *given: Any, **named: Any) -> Any:
        check_document(self._driven.name, document)
        return self._driven.insert_one(document, *given, **named)

    def insert_many(self, documents: Iterable[Any], *given: Any, **named: Any) -> Any:
        documents = list(documents)
        for document in documents:
            check_document(self._driven.name, document)
        return self._driven.insert_many(documents, *given, **named)

    def bulk_write(self, writes: Iterable[Any], *given: Any, **named: Any) -> Any:
        writes = list(writes)
        for write in writes:
            if type(write).__name__ == "InsertOne":
                check_document(self._driven.name, write._doc)
                continue
            check_filter(self._driven.name, write._filter)
            if type(write).__name__ == "ReplaceOne":
                check_document(self._driven.name, write._doc)
        return self._driven.bulk_write(writes, *given, **named)

    def aggregate(self, pipeline: list[Mapping[str, Any]], *given: Any, **named: Any) -> Any:
        first = pipeline[0].get("$match") if pipeline else None
        check_filter(self._driven.name, first or {})
        return self._driven.aggregate(pipeline, *given, **named)

    def create_indexes(self, indexes: Iterable[Any], *given: Any, **named: Any) -> Any:
        indexes = list(indexes)
        for index in indexes:
            check_index(self._driven.name, index.document)
        return self._driven.create_indexes(indexes, *given, **named)


def sharded(client: DbClient) -> DbClient:
    """Stand around a client of the driver."""
    return cast("DbClient", ShardedClient(client))


def around(collection: Any) -> Any:
    """A growing collection in the checked form; another one as it is."""
    return collection if collection.name in GLOBAL else ShardedCollection(collection)


def check_filter(collection: str, wanted: Mapping[str, Any]) -> None:
    """Refuse a filter that does not begin with its shard. An `_id` may stand before it."""
    fields = list(wanted)
    shard = wanted.get("shard")
    everywhere = "shard" not in wanted or shard == {"$in": EVERY_SHARD}
    if everywhere:
        if (collection, *fields[:1]) not in BROADCASTS:
            raise UnshardedError(f"{collection}: asks every shard: {wanted}")
        return
    if not (fields[0] == "shard" or fields[:2] == ["_id", "shard"]):
        raise UnshardedError(f"{collection}: does not begin with its shard: {wanted}")
    if not (shard is None or isinstance(shard, int) or list(shard) == ["$in"]):
        raise UnshardedError(f"{collection}: not one shard, and no list of shards: {wanted}")


def check_document(collection: str, document: Mapping[str, Any]) -> None:
    """Refuse a document without the number of its shard."""
    if not isinstance(document.get("shard"), int):
        raise UnshardedError(f"{collection}: a document without its shard: {document}")


def check_index(collection: str, index: Mapping[str, Any]) -> None:
    """Refuse an index that does not begin with the shard. One that deletes has one field."""
    first = next(iter(index["key"]))
    if first == "shard" or "expireAfterSeconds" in index or (collection, first) in BROADCASTS:
        return
    if collection not in GLOBAL and first != "_id":
        raise UnshardedError(f"{collection}: an index that does not begin with the shard: {index}")
