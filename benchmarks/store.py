"""Team's documents in memory, sent as BSON: a database that takes no time."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import bson
from bson.codec_options import CodecOptions

from benchmarks.replica import HEAD
from benchmarks.workload import CATALOG, ROLES
from rolecall import AccountKind, AccountStatus
from services.team.domain.accounts import Account
from services.team.domain.catalogs import catalog_object
from services.team.domain.members import Membership
from services.team.store.policy_documents import policy_document
from shared.contracts.policy_objects import PolicyObject
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.mongo import DbSession, Document

SIZE = 50
COLLECTIONS = ("accounts", "members", "projects", "overrides", "resources")


def _named(row: Document, names: Sequence[str] | None) -> Document:
    return row if names is None else {name: row[name] for name in ("_id", *names)}


def documents(members: int) -> Iterator[tuple[str, Document]]:
    """The documents of team, by collection: accounts of `SIZE` members."""
    now = datetime.now(UTC)
    for _ in range(members // SIZE):
        account_id, owner = AccountId(new_id("acc")), UserId(new_id("usr"))
        account = Account(
            account_id=account_id,
            kind=AccountKind.TEAM,
            status=AccountStatus.ACTIVE,
            name="Engines",
            owner_user_id=owner,
            catalog=CATALOG.id,
            account_rev=1,
            created_at=now,
        )
        yield (
            "accounts",
            policy_document(account, key=account_id, account_id=account_id, rev=HEAD),
        )
        for number in range(SIZE):
            user_id = owner if number == 0 else UserId(new_id("usr"))
            member = Membership(
                account_id=account_id,
                user_id=user_id,
                membership_id=MembershipId(new_id("mem")),
                role=ROLES[number % len(ROLES)],
                email=f"member.{number}@example.com",
                email_key=f"member.{number}@example.com",
                name=f"Member {number}",
                joined_at=now,
            )
            key = f"{account_id}/{user_id}"
            yield "members", policy_document(member, key=key, account_id=account_id, rev=HEAD)


class StoredRows:
    """A collection in memory, which sends BSON; it knows the queries of a snapshot."""

    def __init__(self, rows: Sequence[Document]) -> None:
        self._rows = {str(row["_id"]): row for row in rows}
        self._ids: dict[tuple[int | None, ...], list[str]] = {}
        self._sent: dict[str, bytes] = {}

    def find(
        self, wanted: Mapping[str, Any], names: Sequence[str] | None, *, session: object
    ) -> "Found":
        """The rows of these shards after an id, in its order, with the fields of these names."""
        shards = tuple(wanted["shard"]["$in"])
        if shards not in self._ids:
            found = sorted(key for key, row in self._rows.items() if row["shard"] in shards)
            self._ids[shards] = found
            self._sent |= {key: bson.encode(_named(self._rows[key], names)) for key in found}
        ids = self._ids[shards]
        return Found(ids, bisect_right(ids, wanted["_id"]["$gt"]), self._sent)


class Found(NamedTuple):
    """The rows that a query found."""

    ids: Sequence[str]
    first: int
    sent: Mapping[str, bytes]

    def sort(self, *_: object) -> "Found":
        """They are in the order of their ids."""
        return self

    def limit(self, _: int) -> "Found":
        """`to_list` has it."""
        return self

    async def to_list(self, count: int) -> list[dict[str, Any]]:
        """The first rows, as the driver reads them."""
        options = CodecOptions[dict[str, Any]](tz_aware=True)
        ids = self.ids[self.first : self.first + count]
        return [bson.decode(self.sent[key], options) for key in ids]


class StoredDatabase:
    """The collections in memory."""

    def __init__(self, rows: Mapping[str, Sequence[Document]]) -> None:
        self._collections = {name: StoredRows(rows.get(name, ())) for name in COLLECTIONS}

    def get_collection(self, name: str, **_: object) -> StoredRows:
        """One of them."""
        return self._collections[name]


class Catalogs:
    """The one published catalog."""

    async def catalog_objects(
        self, session: DbSession, *, after: str, limit: int
    ) -> list[PolicyObject]:
        """It, on the first page."""
        return [] if after else [catalog_object(CATALOG.id, CATALOG.to_mapping(), rev=HEAD)]
