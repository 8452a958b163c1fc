"""The live tail of the audit log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from functools import partial

from services.audit.domain.tails import Ended, PlaceTold, RecordTold, TailEvent, TooManyTails
from services.audit.routes.filters import READ, AuditFilterQuery
from services.audit.routes.permitted import still_permitted
from services.audit.routes.record_views import AuditRecordView
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.tails import open_tail, tail_events
from shared.http.routes import Answer, Call, Reply, Route
from shared.http.server_events import KEEP_ALIVE, server_event
from shared.http.streams import EVENT_STREAM, Stream

STALL_SECONDS = 30.0
"""A reader that takes nothing for so long is cut off, and can go on after its last event."""


class TailProgress(Answer):
    """How far a tail is."""

    size: int
    """The records of the account's log up to this place."""
    complete_until: datetime | None
    """Everything that happened before this moment has been told; `null` while not known."""


class TailEndTold(Answer):
    """Why a tail ends."""

    reason: str


async def tail_audit_events(ctx: Ctx, call: Call[None, AuditFilterQuery]) -> Reply:
    """Follow the account's audit log."""
    tail = await open_tail(
        ctx,
        call.caller,
        call.account_id,
        call.query.filters(),
        user_id=call.member.user_id,
        after=call.headers.get("Last-Event-ID"),
    )
    permitted = partial(still_permitted, ctx, call)
    pieces = _texts(tail_events(ctx, tail, permitted))
    return Reply(body=Stream(pieces=pieces, stall_seconds=STALL_SECONDS))


async def _texts(events: AsyncGenerator[TailEvent, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for event in events:
            yield text_of(event)


def text_of(event: TailEvent) -> bytes:
    """Return the text of an event, as the reader gets it."""
    match event:
        case RecordTold(record, place):
            data = AuditRecordView.of(record).model_dump_json()
            return server_event("record", data, event_id=str(place))
        case PlaceTold(place, complete_until):
            told = TailProgress(size=place.size, complete_until=complete_until)
            return server_event("progress", told.model_dump_json(), event_id=str(place))
        case Ended(reason):
            return server_event("end", TailEndTold(reason=reason).model_dump_json())
        case _:
            return KEEP_ALIVE


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-events/tail",
        handler=tail_audit_events,
        operation_id="tailAuditEvents",
        summary="Follow the account's audit log live (server-sent events)",
        tag="audit",
        access=READ,
        query=AuditFilterQuery,
        streams=(EVENT_STREAM,),
        refuses=(TooManyTails,),
    ),
)
"""The row stands before that of a single record, whose path would take it."""
