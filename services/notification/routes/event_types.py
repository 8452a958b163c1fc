"""The route of the types of events that webhooks receive."""

from services.notification.domain.public_events import PUBLIC_EVENTS
from services.notification.use_cases.context import Ctx
from shared.http.access import Public
from shared.http.routes import Answer, Call, Route


class EventTypeView(Answer):
    """A type of event, and what happened when it is sent."""

    type: str
    meaning: str


class EventTypeList(Answer):
    """All types of events."""

    items: tuple[EventTypeView, ...]


async def list_event_types(ctx: Ctx, call: Call[None, None]) -> EventTypeList:
    """List the types of events."""
    return EventTypeList(
        items=tuple(
            EventTypeView(type=event.type, meaning=event.meaning) for event in PUBLIC_EVENTS
        )
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/webhook-event-types",
        handler=list_event_types,
        operation_id="listWebhookEventTypes",
        summary="List the types of events that webhooks receive",
        tag="webhooks",
        access=Public(),
        gives=EventTypeList,
    ),
)
