"""Sums of activity and metered usage in MongoDB, and their groups.

Several processes record at the same time, and two transactions that change one document conflict.
So each process adds to documents of its own slot, and a reader adds the slots up.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128
from pymongo import UpdateOne

from services.audit.domain.usage_sums import Amounts, Sums, UsageGroup, UsageKey, UsageRow
from shared.mongo import Database, DbSession, Document, majority

USAGE_SLOTS = 8


class UsageRows:
    """The collection `usage`."""

    def __init__(self, database: Database) -> None:
        self._usage = majority(database, "usage")

    async def add_usage(self, sums: Sums, *, slot: int, session: DbSession) -> None:
        """Add these sums to those that are stored."""
        writes = [_addition(key, amounts, slot) for key, amounts in sorted(sums.items())]
        if writes:
            await self._usage.bulk_write(writes, session=session, ordered=False)

    async def usage(
        self,
        account_id: str,
        groups: Sequence[UsageGroup],
        *,
        first_day: str,
        last_day: str,
        after: Sequence[str] | None,
        limit: int,
    ) -> list[UsageRow]:
        """The usage of an account by these groups, in their order; `after` is the last one seen."""
        wanted: Document = {
            "account_id": account_id,
            "day": {"$gte": first_day, "$lte": last_day},
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
        return [_row(found, groups) async for found in self._usage.aggregate(stages)]


def _addition(key: UsageKey, amounts: Amounts, slot: int) -> UpdateOne:
    added: Document = {"activity": amounts.activity}
    if key.unit:
        added |= {"quantity": Decimal128(amounts.quantity), "cost": Decimal128(amounts.cost)}
    # No part of a key has this sign.
    place = {"_id": "|".join((*key, str(slot)))}
    return UpdateOne(place, {"$inc": added, "$setOnInsert": key._asdict()}, upsert=True)


def _beyond(groups: Sequence[UsageGroup], after: Sequence[str]) -> list[Document]:
    """The groups that sort after these values: equal in the first ones, greater in the next."""
    return [
        {**dict(zip(groups[:place], after[:place], strict=True)), group: {"$gt": after[place]}}
        for place, group in enumerate(groups)
    ]


def _row(found: Document, groups: Sequence[UsageGroup]) -> UsageRow:
    quantities: dict[str, Decimal] = {}
    costs: dict[str, Decimal] = {}
    total = Amounts()
    for part in sorted(found["parts"], key=lambda one: (one["unit"], one["currency"])):
        amounts = Amounts(
            activity=part["activity"],
            quantity=_decimal(part["quantity"]),
            cost=_decimal(part["cost"]),
        )
        total = total.plus(amounts)
        if part["unit"]:
            quantities[part["unit"]] = _plus(quantities.get(part["unit"]), amounts.quantity)
        if part["currency"]:
            costs[part["currency"]] = _plus(costs.get(part["currency"]), amounts.cost)
    return UsageRow(
        group={group: found["_id"][group] for group in groups},
        activity=total.activity,
        quantities=quantities,
        costs=dict(sorted(costs.items())),
    )


def _plus(one: Decimal | None, other: Decimal) -> Decimal:
    return Amounts(cost=one or Decimal(0)).plus(Amounts(cost=other)).cost


def _decimal(stored: Decimal128 | int) -> Decimal:
    """A sum of documents without the field is the integer 0."""
    return stored.to_decimal() if isinstance(stored, Decimal128) else Decimal(stored)
