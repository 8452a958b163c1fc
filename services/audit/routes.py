"""The routes of audit: search the audit log, show one record."""

import re
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from services.audit.domain.records import Filters, Record
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.decisions import record_allows, record_denials
from services.audit.use_cases.search import search, show_record
from shared.contracts.calls.decision_counts import ALLOWS, DENIALS, AllowReport, DenialReport
from shared.contracts.facts import Actor, Outcome, ResourceRef
from shared.http.access import Permission
from shared.http.internal import internal_route
from shared.http.moments import moment_fault
from shared.http.paging import PageQuery, read_cursor, write_cursor
from shared.http.routes import Answer, Call, Route
from shared.ids import PREFIXES, id_form, is_id


def _check_moment(value: str) -> str:
    """Refuse a number, which pydantic would take for seconds since 1970, and a lost `+`."""
    if re.search(r":\d\d(\.\d+)? \d\d:?\d\d$", value):
        raise ValueError("The `+` of the zone arrived as a blank. In a query, write it as `%2B`")
    if re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:", value) is None:
        raise ValueError(moment_fault(value))
    return value


def _check_user(value: str) -> str:
    """Refuse what begins as an id does and is not one."""
    prefix, separator, _ = value.strip().partition("_")
    if separator and prefix in PREFIXES.values() and not is_id(value.strip(), prefix):
        raise ValueError(id_form(prefix))
    return value


def _check_action(value: str) -> str:
    if re.fullmatch(ACTION, value) is None:
        raise ValueError(
            "Must be an action such as `member.removed`, or its beginning with `.` or `*` at the"
            " end"
        )
    return value


ACTION = r"^[a-z0-9_.-]{1,100}\*?$"
Moment = Annotated[AwareDatetime, BeforeValidator(_check_moment)]
Action = Annotated[
    str, BeforeValidator(_check_action), Field(json_schema_extra={"pattern": ACTION})
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=254)]
ActorText = Annotated[Text, AfterValidator(_check_user)]
ProjectText = Annotated[str, StringConstraints(pattern=r"^prj_[0-9a-f]{32}$")]
READ = Permission("audit_log:view")
"""Only members with this permission read the log (Rp15, Nv19)."""


class AuditSearchQuery(PageQuery):
    """The filters of a search (Rp14); a record must match all that are given."""

    since: Moment | None = Field(None, alias="from", description="From this moment on (RFC 3339)")
    until: Moment | None = Field(None, alias="to", description="Before this moment (RFC 3339)")
    user: ActorText | None = Field(None, description="The actor: an id, or a user's e-mail address")
    resource_type: Text | None = Field(None, description="The type of the resource: `member`")
    resource_id: Text | None = Field(None, description="The id of the resource")
    action: Action | None = Field(
        None, description="An action, or a prefix that ends with `.` or `*`"
    )
    outcome: Outcome | None = Field(None, description="Whether the action was done or refused")
    project: ProjectText | None = Field(None, description="The id of the project")
    request_id: Text | None = Field(
        None, description="The id of the request, as `Rolecall-Request-ID` of the answer has it"
    )

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, known: ValidationInfo) -> datetime | None:
        since = known.data.get("since")
        if since is not None and until is not None and until < since:
            raise ValueError("`to` is before `from`. Send a `to` that is later, or leave one out")
        return until


class RecordPosition(Answer):
    """The row's position in its service's journal; gapless by (source, epoch, shard)."""

    source: str
    epoch: str
    shard: int
    seq: int


class AuditRecordView(Answer):
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
    position: RecordPosition

    @classmethod
    def of(cls, record: Record) -> Self:
        """Return the record as the API shows it."""
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
            position=RecordPosition(**record.position._asdict()),
        )


class AuditRecordList(Answer):
    """A page of the audit log, newest first."""

    items: tuple[AuditRecordView, ...]
    next_cursor: str | None
    complete_until: datetime | None
    """Everything before this moment is in the log; `null` while not known."""


async def list_events(ctx: Ctx, call: Call[None, AuditSearchQuery]) -> AuditRecordList:
    """Search the account's audit log."""
    query = call.query
    filters = Filters(
        since=query.since,
        until=query.until,
        user=query.user,
        resource_type=query.resource_type,
        resource_id=query.resource_id,
        action=query.action,
        outcome=query.outcome,
        project=query.project,
        request_id=query.request_id,
    )
    last = read_cursor(call)
    page = await search(
        ctx,
        call.caller,
        call.account_id,
        filters,
        after=None if last is None else last[0],
        limit=query.limit,
    )
    following = page.next_after
    return AuditRecordList(
        items=tuple(map(AuditRecordView.of, page.records)),
        next_cursor=None if following is None else write_cursor(call, (following, "")),
        complete_until=page.complete_until,
    )


async def show_event(ctx: Ctx, call: Call[None, None]) -> AuditRecordView:
    """Show one record of the account's audit log."""
    return AuditRecordView.of(
        await show_record(ctx, call.caller, call.account_id, call.path["event_id"])
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
        query=AuditSearchQuery,
        gives=AuditRecordList,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-events/{event_id}",
        handler=show_event,
        operation_id="getAuditEvent",
        summary="Show one record of the account's audit log",
        tag="audit",
        access=READ,
        gives=AuditRecordView,
    ),
)


async def take_denials(ctx: Ctx, call: Call[DenialReport, None]) -> None:
    """Record the denied decisions that a replica of authz has counted."""
    await record_denials(ctx, call.caller, call.body)


async def take_allows(ctx: Ctx, call: Call[AllowReport, None]) -> None:
    """Record the allowed decisions that a replica of authz has drawn."""
    await record_allows(ctx, call.caller, call.body)


INTERNAL_ROUTES = (internal_route(DENIALS, take_denials), internal_route(ALLOWS, take_allows))
