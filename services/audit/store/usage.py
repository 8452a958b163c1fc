"""Sums of activity and metered usage in MongoDB, and their groups.

A transaction of records keeps what it adds in one document of its own. These documents are folded
into the sums now and then. A reader adds both up, as of one moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128
from pymongo import UpdateOne

from services.audit.domain.usage_sums import (
    Amounts,
    Sums,
    UsageGroup,
    UsageKey,
    UsageRow,
    added_up,
)
from shared.contracts.facts import USER_ID
from shared.ids import new_id
from shared.mongo import Database, DbSession, Document, Lost, majority

EACH_SUM: Sequence[Mapping[str, Any]] = (
    {"$unwind": "$sums"},
    {"$replaceRoot": {"newRoot": "$sums"}},
)
"""The stages that make the documents of `usage` of those that are not folded yet."""

USERS: Mapping[str, str] = {"$gte": USER_ID, "$lt": f"{USER_ID}~"}
"""The members of sums. Earlier versions counted services, clients and operators as members, too:
those sums are not shown."""


class UsageRows:
    """The collections `usage`, and `usage_added` of what is not folded into it yet."""

    def __init__(self, database: Database) -> None:
        self._usage = majority(database, "usage")
        self._added = majority(database, "usage_added")

    async def add_usage(self, sums: Sums, *, session: DbSession) -> None:
        """Keep what the records of a transaction add to the sums."""
        if sums:
            document = {"_id": new_id("uad"), "sums": list(map(_document, sums.items()))}
            await self._added.insert_one(document, session=session)

    async def fold_usage(self, *, limit: int, most_sums: int, session: DbSession) -> bool:
        """Add the oldest documents to the sums, and delete them; whether there may be more.

        They are `limit` at most, and about as many as change `most_sums` sums.

        Raises:
            Lost: another process has folded one of them.
        """
        sums: Sums = {}
        folded: list[str] = []
        oldest = self._added.find({}, session=session).sort("_id", 1).limit(limit)
        async for document in oldest:
            if len(sums) < most_sums:
                sums = added_up(sums, map(_sum, document["sums"]))
                folded.append(document["_id"])
        if not folded:
            return False
        those = {"_id": {"$in": folded}}
        deleted = await self._added.delete_many(those, session=session)
        if deleted.deleted_count != len(folded):
            raise Lost(self._added.name)
        writes = [_addition(key, amounts) for key, amounts in sorted(sums.items())]
        await self._usage.bulk_write(writes, session=session, ordered=False)
        return len(folded) == limit or len(sums) >= most_sums

    async def usage(
        self,
        account_id: str,
        groups: Sequence[UsageGroup],
        *,
        first_day: str,
        last_day: str,
        after: Sequence[str] | None,
        limit: int,
        session: DbSession,
    ) -> list[UsageRow]:
        """The usage of an account by these groups, in their order; `after` is the last one seen."""
        wanted: Document = {
            "account_id": account_id,
            "day": {"$gte": first_day, "$lte": last_day},
            "member": USERS,
        }
        if after is not None:
            wanted["$or"] = _beyond(groups, after)
        inner = {name: f"${name}" for name in (*groups, "unit", "currency")}
        outer = {name: f"$_id.{name}" for name in groups}
        part = {name: f"$_id.{name}" for name in ("unit", "currency")} | {
            name: f"${name}" for name in ("activity", "quantity", "cost")
        }
        added = {name: {"$sum": f"${name}"} for name in ("activity", "quantity", "cost")}
        stages: list[Mapping[str, Any]] = [
            {"$match": wanted},
            {"$group": {"_id": inner, **added}},
            {"$group": {"_id": outer, "parts": {"$push": part}}},
            {"$sort": {f"_id.{name}": 1 for name in groups}},
            {"$limit": limit},
        ]
        parts: dict[tuple[str, ...], list[Document]] = {}
        for collection, first in ((self._usage, ()), (self._added, EACH_SUM)):
            async for found in collection.aggregate([*first, *stages], session=session):
                group = tuple(found["_id"][name] for name in groups)
                parts.setdefault(group, []).extend(found["parts"])
        # The first groups of both are among the first ones of each.
        return [_row(groups, group, parts[group]) for group in sorted(parts)[:limit]]


def _document(added: tuple[UsageKey, Amounts]) -> Document:
    key, amounts = added
    return {**key._asdict(), **_amounts(key, amounts)}


def _amounts(key: UsageKey, amounts: Amounts) -> Document:
    stored: Document = {"activity": amounts.activity}
    if key.unit:
        stored |= {"quantity": Decimal128(amounts.quantity), "cost": Decimal128(amounts.cost)}
    return stored


def _sum(stored: Document) -> tuple[UsageKey, Amounts]:
    key = UsageKey(*(stored[name] for name in UsageKey._fields))
    return key, _read(stored)


def _read(stored: Document) -> Amounts:
    return Amounts(
        activity=stored["activity"],
        quantity=_decimal(stored.get("quantity", 0)),
        cost=_decimal(stored.get("cost", 0)),
    )


def _addition(key: UsageKey, amounts: Amounts) -> UpdateOne:
    # No part of a key has this sign. Earlier versions have added a number to the id.
    place = {"_id": "|".join(key)}
    change = {"$inc": _amounts(key, amounts), "$setOnInsert": key._asdict()}
    return UpdateOne(place, change, upsert=True)


def _beyond(groups: Sequence[UsageGroup], after: Sequence[str]) -> list[Document]:
    """The groups that sort after these values: equal in the first ones, greater in the next."""
    return [
        {**dict(zip(groups[:place], after[:place], strict=True)), group: {"$gt": after[place]}}
        for place, group in enumerate(groups)
    ]


def _row(groups: Sequence[UsageGroup], group: Sequence[str], parts: Iterable[Document]) -> UsageRow:
    quantities: dict[str, Decimal] = {}
    costs: dict[str, Decimal] = {}
    total = Amounts()
    for part in sorted(parts, key=lambda one: (one["unit"], one["currency"])):
        amounts = _read(part)
        total = total.plus(amounts)
        if part["unit"]:
            quantities[part["unit"]] = _plus(quantities.get(part["unit"]), amounts.quantity)
        if part["currency"]:
            costs[part["currency"]] = _plus(costs.get(part["currency"]), amounts.cost)
    return UsageRow(
        group=dict(zip(groups, group, strict=True)),
        activity=total.activity,
        quantities=quantities,
        costs=dict(sorted(costs.items())),
    )


def _plus(one: Decimal | None, other: Decimal) -> Decimal:
    return Amounts(cost=one or Decimal(0)).plus(Amounts(cost=other)).cost


def _decimal(stored: Decimal128 | int) -> Decimal:
    """A sum of documents without the field is the integer 0."""
    return stored.to_decimal() if isinstance(stored, Decimal128) else Decimal(stored)
