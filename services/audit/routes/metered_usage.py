"""The route by which services of the platform report metered usage."""

from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field

from services.audit.domain.metered_usage import Cost, MeteredUsage, usage_report
from services.audit.domain.reports import ServiceReport
from services.audit.routes.report_bodies import (
    MAX_REPORTS,
    REPORTS_CAP_BYTES,
    REPORTS_REFUSE,
    AccountIdText,
    OwnId,
    ProjectIdText,
    ReportedResource,
    ReportsView,
    UserIdText,
    record_each,
)
from services.audit.use_cases.context import Ctx
from shared.http.access import Client
from shared.http.moments import StoredMoment
from shared.http.routes import Body, Call, Route
from shared.ids import ClientId

USAGE_SCOPE = "usage:write"
DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,12})?$")]
"""A decimal number as text: binary fractions would not be exact."""


class ReportedCost(Body):
    """What it cost, in a currency of ISO 4217."""

    amount: DecimalText
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]

    @property
    def cost(self) -> Cost:
        """The cost as a number."""
        return Cost(amount=Decimal(self.amount), currency=self.currency)


class ReportUsage(Body):
    """How much a member used of a resource. `id` is the reporter's own, and counts once.

    A negative quantity or cost takes back an earlier one.
    """

    id: OwnId
    account_id: AccountIdText
    user_id: UserIdText
    resource: ReportedResource
    project_id: ProjectIdText | None = None
    quantity: DecimalText
    unit: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_./-]{0,31}$")]
    cost: ReportedCost | None = None
    occurred_at: StoredMoment

    def report(self, client_id: ClientId) -> ServiceReport:
        """The report of this client."""
        usage = MeteredUsage(
            id=self.id,
            account_id=self.account_id,
            user_id=self.user_id,
            resource=self.resource.ref,
            project_id=self.project_id,
            quantity=Decimal(self.quantity),
            unit=self.unit,
            cost=None if self.cost is None else self.cost.cost,
            occurred_at=self.occurred_at,
        )
        return usage_report(usage, client_id=client_id)


class ReportUsages(Body):
    """Metered usage of one or several accounts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "usage": [
                        {
                            "id": "7f3a",
                            "account_id": f"acc_{'0' * 31}1",
                            "user_id": f"usr_{'0' * 31}1",
                            "resource": {"type": "instance", "id": "i-17"},
                            "quantity": "1.5",
                            "unit": "gpu_hour",
                            "cost": {"amount": "3.75", "currency": "EUR"},
                            "occurred_at": "2030-01-01T00:00:00Z",
                        }
                    ]
                }
            ]
        }
    )

    usage: Annotated[list[ReportUsage], Field(min_length=1, max_length=MAX_REPORTS)]


async def report_usage(ctx: Ctx, call: Call[ReportUsages, None]) -> ReportsView:
    """Record the usage that a service of the platform has metered."""
    return await record_each(ctx, call, call.body.usage)


ROUTES = (
    Route(
        method="POST",
        path="/v1/usage",
        handler=report_usage,
        operation_id="reportUsage",
        summary="Report up to 1,000 metered usages of members, with a result for each",
        tag="usage",
        access=Client(USAGE_SCOPE),
        takes=ReportUsages,
        gives=ReportsView,
        refuses=REPORTS_REFUSE,
        body_cap=REPORTS_CAP_BYTES,
        on_repeat="Records what is not recorded yet: a usage that is, is answered `repeated`.",
    ),
)
