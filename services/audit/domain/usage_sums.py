"""Activity and metered usage of the members of an account, added up as records are made.

Every sum is of one day, member, project, type of resource and action. Metered usage has sums of its
own for each unit and currency. So what a reader adds up is exact, and no two units meet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal
from enum import StrEnum
from typing import NamedTuple

from services.audit.domain.records import Record, reported_of
from shared.contracts.audit import UsageRecorded
from shared.contracts.facts import Row

EXACT = Context(prec=34)
"""The digits that a sum has, here and in the database: those of 10¹⁰ of the largest amounts."""


class UsageGroup(StrEnum):
    """What usage is grouped by, in the order of the groups."""

    DAY = "day"
    MEMBER = "member"
    PROJECT = "project"
    RESOURCE_TYPE = "resource_type"
    ACTION = "action"


class UsageKey(NamedTuple):
    """What one sum is about. An empty text stands for none."""

    account_id: str
    day: str
    member: str
    project: str
    resource_type: str
    action: str
    unit: str = ""
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """What is added up: actions of a member, or metered quantities with their costs."""

    activity: int = 0
    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def plus(self, other: "Amounts") -> "Amounts":
        """The sum of both, exact."""
        return Amounts(
            activity=self.activity + other.activity,
            quantity=EXACT.add(self.quantity, other.quantity),
            cost=EXACT.add(self.cost, other.cost),
        )


Sums = dict[UsageKey, Amounts]


@dataclass(frozen=True, kw_only=True)
class UsageRow:
    """The usage of one group. `group` has the values of what it is grouped by."""

    group: Mapping[UsageGroup, str]
    activity: int = 0
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    """By unit."""
    costs: Mapping[str, Decimal] = field(default_factory=dict)
    """By currency."""


def sums_of(records: Iterable[tuple[Row, Record]]) -> Sums:
    """What these records add to the sums of their accounts.

    A record in which a user acted is one action of that user. Metered usage is not an action; it
    counts for the member whom it is about.
    """
    return added_up({}, filter(None, (_added(row, record) for row, record in records)))


def added_up(sums: Sums, more: Iterable[tuple[UsageKey, Amounts]]) -> Sums:
    """The sums of both."""
    sums = dict(sums)
    for key, amounts in more:
        sums[key] = sums.get(key, Amounts()).plus(amounts)
    return sums


def _added(row: Row, record: Record) -> tuple[UsageKey, Amounts] | None:
    if record.account_id is None:
        return None
    key = UsageKey(
        account_id=record.account_id,
        day=day_of(record.occurred_at),
        member=record.actor.user_id or "",
        project=record.project_id or "",
        resource_type=record.resource.type,
        action=record.action,
    )
    usage = reported_of(row)
    if isinstance(usage, UsageRecorded):
        amounts = Amounts(quantity=Decimal(usage.quantity), cost=Decimal(usage.cost or 0))
        about = key._replace(member=usage.user_id, unit=usage.unit, currency=usage.currency or "")
        return about, amounts
    return None if not key.member else (key, Amounts(activity=1))


def day_of(moment: datetime) -> str:
    """The day of a moment in UTC."""
    return moment.astimezone(UTC).date().isoformat()
