"""The list of a person's notifications, live."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.notification.domain.live_list import TooManyLiveLists
from services.notification.routes.entries import UnreadView, view_of
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.live_list import (
    EntryTold,
    ListEvent,
    ListOver,
    UnreadTold,
    list_events,
    open_list,
)
from shared.http.access import Session
from shared.http.routes import Answer, Call, Reply, Route
from shared.http.server_events import KEEP_ALIVE, server_event
from shared.http.streams import EVENT_STREAM, Stream

STALL_SECONDS = 30.0
"""A reader that takes nothing for so long is cut off, and can go on after its last event."""


class LiveListOver(Answer):
    """Why a live list ends."""

    reason: str


async def follow_notifications(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Follow the user's notifications."""
    place = await open_list(ctx, call.user, after=call.headers.get("Last-Event-ID"))
    pieces = _texts(list_events(ctx, call.user, place))
    return Reply(body=Stream(pieces=pieces, stall_seconds=STALL_SECONDS))


async def _texts(events: AsyncGenerator[ListEvent, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for event in events:
            yield text_of(event)


def text_of(event: ListEvent) -> bytes:
    """Return the text of an event, as the reader gets it."""
    match event:
        case EntryTold(shown, place):
            data = view_of(shown).model_dump_json()
            return server_event("notification", data, event_id=str(place))
        case UnreadTold(unread, place):
            data = UnreadView(unread=unread).model_dump_json()
            return server_event("unread", data, event_id=str(place))
        case ListOver(reason):
            return server_event("end", LiveListOver(reason=reason).model_dump_json())
        case _:
            return KEEP_ALIVE


ROUTES = (
    Route(
        method="GET",
        path="/v1/me/notifications/stream",
        handler=follow_notifications,
        operation_id="followNotifications",
        summary="Follow the user's notifications live (server-sent events)",
        tag="notifications",
        access=Session(),
        streams=(EVENT_STREAM,),
        refuses=(TooManyLiveLists,),
    ),
)
