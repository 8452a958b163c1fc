"""Search the audit log, show one record."""

from datetime import datetime

from services.audit.routes.filters import READ, AuditSearchQuery
from services.audit.routes.record_views import AuditRecordView
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.search import search, show_record
from shared.http.paging import read_cursor, write_cursor
from shared.http.routes import Answer, Call, Route


class AuditRecordList(Answer):
    """A page of the audit log, newest first."""

    items: tuple[AuditRecordView, ...]
    next_cursor: str | None
    complete_until: datetime | None
    """Everything before this moment is in the log; `null` while not known."""
    kept_since: datetime | None
    """Everything after this moment is kept; `null` if no record has reached its retention."""


async def list_events(ctx: Ctx, call: Call[None, AuditSearchQuery]) -> AuditRecordList:
    """Search the account's audit log."""
    last = read_cursor(call)
    page = await search(
        ctx,
        call.caller,
        call.account_id,
        call.query.filters(),
        after=None if last is None else last[0],
        limit=call.query.limit,
    )
    following = page.next_after
    return AuditRecordList(
        items=tuple(map(AuditRecordView.of, page.records)),
        next_cursor=None if following is None else write_cursor(call, (following, "")),
        complete_until=page.complete_until,
        kept_since=page.kept_since,
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
