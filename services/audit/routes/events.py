"""The route by which services of the platform report their own events."""

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from services.audit.domain.reported_events import ReportedEvent, event_report
from services.audit.domain.reports import ServiceReport
from services.audit.routes.report_bodies import (
    MAX_REPORTS,
    REPORTS_CAP_BYTES,
    REPORTS_REFUSE,
    AccountIdText,
    LongText,
    OwnId,
    ProjectIdText,
    ReportedResource,
    ReportsView,
    UserIdText,
    Values,
    record_each,
)
from services.audit.use_cases.context import Ctx
from shared.contracts.facts import Actor, Outcome
from shared.http.access import Client
from shared.http.moments import StoredMoment
from shared.http.routes import Body, Call, Route
from shared.ids import ClientId

AUDIT_SCOPE = "audit:write"


def _address(text: str) -> str:
    return str(ip_address(text))


class ReportedActor(Body):
    """Who acted. A user did, or the service that reports, by itself or on behalf of a user.

    A user may have acted through an API token (`token_id`), in a session, or through a service
    client that has an exchanged token (`via`).
    """

    type: Literal["user", "service"]
    id: UserIdText | None = Field(default=None, description="The user who acted")
    session_id: Annotated[str, Field(pattern="^ses_[0-9a-f]{32}$")] | None = None
    token_id: Annotated[str, Field(pattern="^tok_[0-9a-f]{32}$")] | None = None
    via: Annotated[str, Field(pattern="^cli_[0-9a-f]{32}$")] | None = Field(
        default=None, description="The service client through which the user acted"
    )
    on_behalf_of: UserIdText | None = Field(
        default=None, description="The user for whom the service acted by itself"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> "ReportedActor":
        of_user = (self.id, self.session_id, self.token_id, self.via)
        if self.type == "user" and (self.id is None or self.on_behalf_of is not None):
            raise ValueError("A user needs `id`, and cannot have `on_behalf_of`")
        if self.type == "service" and any(one is not None for one in of_user):
            raise ValueError("The service that reports can have `on_behalf_of` only")
        return self

    def actor(self, reporter: ClientId) -> Actor:
        """The actor of the record."""
        if self.id is None:
            return Actor(type="service_client", id=reporter, on_behalf_of=self.on_behalf_of)
        return Actor(
            type="user",
            id=self.id,
            session_id=self.session_id,
            token_id=self.token_id,
            via=self.via,
        )


class ReportedRequest(Body):
    """The request that the service was sent by the actor."""

    id: OwnId | None = None
    trace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    ip: Annotated[str, Field(max_length=45), AfterValidator(_address)] | None = None
    user_agent: LongText | None = None


class ReportEvent(Body):
    """One event. `id` is the reporter's own: the same event sent again is recorded once.

    `action` begins with the type of the resource: `instance.deleted`. `before` and `after` are what
    changed; secrets in them are removed.
    """

    id: OwnId
    account_id: AccountIdText
    action: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}\.[a-z0-9_][a-z0-9_.-]{0,34}$")]
    actor: ReportedActor
    resource: ReportedResource
    project_id: ProjectIdText | None = None
    occurred_at: StoredMoment
    outcome: Outcome = Outcome.SUCCEEDED
    reason: LongText | None = None
    before: Values | None = None
    after: Values | None = None
    request: ReportedRequest = ReportedRequest()

    def report(self, client_id: ClientId) -> ServiceReport:
        """The report of this client; it raises as `event_report`."""
        event = ReportedEvent(
            id=self.id,
            account_id=self.account_id,
            action=self.action,
            actor=self.actor.actor(client_id),
            resource=self.resource.ref,
            project_id=self.project_id,
            occurred_at=self.occurred_at,
            outcome=self.outcome,
            reason=self.reason,
            before=self.before,
            after=self.after,
            request_id=self.request.id,
            trace_id=self.request.trace_id,
            ip=self.request.ip,
            user_agent=self.request.user_agent,
        )
        return event_report(event, client_id=client_id)


class ReportEvents(Body):
    """Events of one or several accounts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "id": "7f3a",
                            "account_id": f"acc_{'0' * 31}1",
                            "action": "instance.deleted",
                            "actor": {"type": "user", "id": f"usr_{'0' * 31}1"},
                            "resource": {"type": "instance", "id": "i-17"},
                            "occurred_at": "2030-01-01T00:00:00Z",
                        }
                    ]
                }
            ]
        }
    )

    events: Annotated[list[ReportEvent], Field(min_length=1, max_length=MAX_REPORTS)]


async def report_events(ctx: Ctx, call: Call[ReportEvents, None]) -> ReportsView:
    """Record the events of a service of the platform."""
    return await record_each(ctx, call, call.body.events)


ROUTES = (
    Route(
        method="POST",
        path="/v1/audit/events",
        handler=report_events,
        operation_id="reportAuditEvents",
        summary="Report up to 1,000 events of a service, with a result for each",
        tag="audit",
        access=Client(AUDIT_SCOPE),
        takes=ReportEvents,
        gives=ReportsView,
        refuses=REPORTS_REFUSE,
        body_cap=REPORTS_CAP_BYTES,
        on_repeat="Records what is not recorded yet: an event that is, is answered `repeated`.",
    ),
)
