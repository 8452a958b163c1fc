"""Usage that services of the platform metered: what a member used of a resource, and its cost."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.audit.domain.reports import ServiceReport, ServiceReportKind
from shared.contracts.audit import UsageRecorded
from shared.contracts.facts import Fact, ResourceRef


@dataclass(frozen=True, kw_only=True)
class Cost:
    """An amount of money; amounts of two currencies are never added."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class MeteredUsage:
    """How much a member used of a resource; a negative quantity takes back an earlier one."""

    id: str
    account_id: str
    user_id: str
    resource: ResourceRef
    project_id: str | None = None
    quantity: Decimal
    unit: str
    cost: Cost | None = None
    occurred_at: datetime


def usage_report(usage: MeteredUsage, *, client_id: str) -> ServiceReport:
    """Make the report of metered usage. The service acts; the member is whom it is about."""
    quantity = amount_text(usage.quantity)
    cost = None if usage.cost is None else amount_text(usage.cost.amount)
    currency = None if usage.cost is None else usage.cost.currency
    payload = UsageRecorded(
        usage_id=usage.id,
        reported_by=client_id,
        user_id=usage.user_id,
        resource_type=usage.resource.type,
        resource_id=usage.resource.id,
        project_id=usage.project_id,
        quantity=quantity,
        unit=usage.unit,
        cost=cost,
        currency=currency,
        occurred_at=usage.occurred_at,
    )
    return ServiceReport(
        kind=ServiceReportKind.USAGE,
        id=usage.id,
        account_id=usage.account_id,
        occurred_at=usage.occurred_at,
        users={"/user_id": usage.user_id},
        fact=Fact(
            payload=payload,
            resource=usage.resource,
            account_id=usage.account_id,
            project_id=usage.project_id,
            after={
                "user_id": usage.user_id,
                "quantity": quantity,
                "unit": usage.unit,
                "cost": cost,
                "currency": currency,
            },
        ),
    )


def amount_text(amount: Decimal) -> str:
    """Write an amount in its shortest form, without an exponent: `1.50` is `1.5`."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
