"""What does audit answer?"""

import re
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from services.audit import use_cases
from services.audit.domain import Filters, Record
from services.audit.use_cases import Audit
from shared.contracts.facts import Actor, Outcome, ResourceRef
from shared.http import Answer, Call, Permission, Route
from shared.http.paging import PageQuery, read_cursor, write_cursor


def _written_as_a_date(value: str) -> str:
    """Numbers are moments to pydantic; here they are mistakes."""
    if re.match(r"\d{4}-\d\d-\d\d", value) is None:
        raise ValueError("Is no RFC 3339 time")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_as_a_date)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=254)]
READ = Permission("audit_log:view")


class Search(PageQuery):
    """The filters of a search; all that are given must fit."""

    since: Moment | None = Field(None, alias="from", description="From this moment on")
    until: Moment | None = Field(None, alias="to", description="Before this moment")
    user: Text | None = Field(None, description="The actor: an id, or a user's e-mail address")
    resource_type: Text | None = None
    resource_id: Text | None = None
    action: Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,100}\*?$")] | None = Field(
        None, description="An action, or its beginning with `.` or `*` at the end"
    )
    outcome: Outcome | None = None
    project: Text | None = None
    request_id: Text | None = None


class Place(Answer):
    """Where the row stands in its service's journal: gapless by (source, epoch, shard)."""

    source: str
    epoch: str
    shard: int
    seq: int


class AuditEvent(Answer):
    """One record of the audit log."""

    id: str
    account_id: str | None
    account_rev: int | None
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    action: str
    resource: ResourceRef
    project_id: str | None
    outcome: Outcome
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None
    request_id: str
    trace_id: str | None
    ip: str | None
    user_agent: str | None
    change_id: str
    position: Place

    @classmethod
    def of(cls, record: Record) -> Self:
        """A record as a reader gets it."""
        return cls(
            id=record.id,
            account_id=record.account_id,
            account_rev=record.account_rev,
            occurred_at=record.occurred_at,
            recorded_at=record.recorded_at,
            actor=record.actor,
            action=record.action,
            resource=record.resource,
            project_id=record.project_id,
            outcome=record.outcome,
            before=None if record.before is None else dict(record.before),
            after=None if record.after is None else dict(record.after),
            reason=record.reason,
            request_id=record.request.request_id,
            trace_id=record.request.trace_id,
            ip=record.request.ip,
            user_agent=record.request.user_agent,
            change_id=record.change_id,
            position=Place(**record.position._asdict()),
        )


class AuditEvents(Answer):
    """A page of the audit log, newest first."""

    items: tuple[AuditEvent, ...]
    next_cursor: str | None
    complete_until: datetime | None
    """Everything before this moment is in the log; `null` while that is not known."""


async def list_events(ctx: Audit, call: Call[None, Search]) -> AuditEvents:
    """Search the account's log."""
    asked = call.query
    filters = Filters(
        since=asked.since,
        until=asked.until,
        user=asked.user,
        resource_type=asked.resource_type,
        resource_id=asked.resource_id,
        action=asked.action,
        outcome=asked.outcome,
        project=asked.project,
        request_id=asked.request_id,
    )
    last = read_cursor(call)
    page = await use_cases.search(
        ctx,
        call.caller,
        call.account_id,
        filters,
        after=None if last is None else last[0],
        limit=asked.limit,
    )
    following = page.next_after
    return AuditEvents(
        items=tuple(map(AuditEvent.of, page.records)),
        next_cursor=None if following is None else write_cursor(call, (following, "")),
        complete_until=page.complete_until,
    )


async def show_event(ctx: Audit, call: Call[None, None]) -> AuditEvent:
    """Show one record of the account's log."""
    return AuditEvent.of(
        await use_cases.event(ctx, call.caller, call.account_id, call.path["event_id"])
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-events",
        handler=list_events,
        operation_id="listAuditEvents",
        summary="Search the account's audit log, newest first",
        tag="audit",
        access=READ,
        query=Search,
        gives=AuditEvents,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-events/{event_id}",
        handler=show_event,
        operation_id="getAuditEvent",
        summary="Show one record of the account's audit log",
        tag="audit",
        access=READ,
        gives=AuditEvent,
    ),
)

INTERNAL_ROUTES: tuple[Route, ...] = ()
