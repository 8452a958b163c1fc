"""The routes of the deliveries of a webhook."""

from datetime import datetime
from typing import Self

from pydantic import Field

from services.notification.domain.deliveries import DeliveryStatus, WebhookDelivery
from services.notification.domain.redeliveries import TooManyRedeliveries
from services.notification.domain.webhooks import WebhookNotEnabled
from services.notification.routes.webhooks import MANAGE, PATH, webhook_id
from services.notification.use_cases import deliveries
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.deliveries import TooManyTests
from shared.catalog_parts import NotInThisCatalog
from shared.http.moments import StoredMoment
from shared.http.paging import Page, PageQuery, read_cursor, write_cursor
from shared.http.routes import Answer, Body, Call, Route
from shared.ids import DeliveryId, WebhookId


class DeliveriesQuery(PageQuery):
    """The status of the deliveries that are listed."""

    status: DeliveryStatus | None = Field(None, description="Only deliveries with this status")


class RedeliverFailed(Body):
    """The moment from which failed deliveries are made again."""

    since: StoredMoment


class AttemptView(Answer):
    """One request: `status` is the receiver's, or `error` says why there is no answer."""

    at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    answer: str
    """The first bytes of the answer."""


class DeliveryView(Answer):
    """One event to one webhook."""

    id: DeliveryId
    webhook_id: WebhookId
    event_id: str
    event_type: str
    status: DeliveryStatus
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    attempts: tuple[AttemptView, ...]
    """The last ones, the oldest first."""

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> Self:
        """Return the delivery as the API shows it."""
        return cls.model_validate(_shown(delivery))


class DeliveryWithBody(DeliveryView):
    """One event to one webhook, with the body that its requests have."""

    body: str


class RedeliveredView(Answer):
    """How many deliveries were queued again; with `more`, send the request again."""

    deliveries: int
    more: bool


def _shown(delivery: WebhookDelivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "status": delivery.status,
        "created_at": delivery.created_at,
        "next_attempt_at": delivery.due_at,
        "finished_at": delivery.finished_at,
        "attempts": delivery.attempts,
    }


async def list_deliveries(ctx: Ctx, call: Call[None, DeliveriesQuery]) -> Page[DeliveryView]:
    """List the deliveries of a webhook."""
    last, limit = read_cursor(call), call.query.limit
    found = await deliveries.page(
        ctx,
        call.account_id,
        webhook_id(call),
        status=call.query.status,
        before=None if last is None else last[0],
        limit=limit + 1,
    )
    page = found[:limit]
    following = write_cursor(call, (page[-1].id, "")) if len(found) > limit else None
    return Page[DeliveryView](items=list(map(DeliveryView.of, page)), next_cursor=following)


async def get(ctx: Ctx, call: Call[None, None]) -> DeliveryWithBody:
    """Return a delivery."""
    found = await deliveries.get(ctx, call.account_id, webhook_id(call), _delivery_id(call))
    return DeliveryWithBody.model_validate({**_shown(found), "body": found.body})


async def send_test(ctx: Ctx, call: Call[None, None]) -> DeliveryView:
    """Send a test event."""
    sent = await deliveries.send_test(ctx, call.caller, call.account_id, webhook_id(call))
    return DeliveryView.of(sent.result)


async def redeliver(ctx: Ctx, call: Call[None, None]) -> DeliveryView:
    """Make a delivery again."""
    again = await deliveries.redeliver(
        ctx, call.caller, call.account_id, webhook_id(call), _delivery_id(call)
    )
    return DeliveryView.of(again.result)


async def redeliver_failed(ctx: Ctx, call: Call[RedeliverFailed, None]) -> RedeliveredView:
    """Make failed deliveries again."""
    again = await deliveries.redeliver_failed(
        ctx, call.caller, call.account_id, webhook_id(call), since=call.body.since
    )
    return RedeliveredView(deliveries=again.result.deliveries, more=again.result.more)


def _delivery_id(call: Call[None, None]) -> DeliveryId:
    return DeliveryId(call.path["delivery_id"])


_ONE = f"{PATH}/{{webhook_id}}"

ROUTES = (
    Route(
        method="POST",
        path=f"{_ONE}/test",
        handler=send_test,
        operation_id="testWebhook",
        summary="Send a test event to a webhook",
        tag="webhooks",
        access=MANAGE,
        gives=DeliveryView,
        status=202,
        refuses=(NotInThisCatalog, WebhookNotEnabled, TooManyTests),
        on_repeat="Sends another test event.",
    ),
    Route(
        method="POST",
        path=f"{_ONE}/redeliver",
        handler=redeliver_failed,
        operation_id="redeliverFailed",
        summary="Make the failed deliveries since a moment again, up to 1,000 of them",
        tag="webhooks",
        access=MANAGE,
        takes=RedeliverFailed,
        gives=RedeliveredView,
        refuses=(NotInThisCatalog, WebhookNotEnabled, TooManyRedeliveries),
        on_repeat="Finds those waiting that have not failed again.",
    ),
    Route(
        method="GET",
        path=f"{_ONE}/deliveries",
        handler=list_deliveries,
        operation_id="listDeliveries",
        summary="List the deliveries of a webhook, those of the newest events first",
        tag="webhooks",
        access=MANAGE,
        query=DeliveriesQuery,
        gives=Page[DeliveryView],
        refuses=(NotInThisCatalog,),
    ),
    Route(
        method="GET",
        path=f"{_ONE}/deliveries/{{delivery_id}}",
        handler=get,
        operation_id="getDelivery",
        summary="Read a delivery, with its body",
        tag="webhooks",
        access=MANAGE,
        gives=DeliveryWithBody,
        refuses=(NotInThisCatalog,),
    ),
    Route(
        method="POST",
        path=f"{_ONE}/deliveries/{{delivery_id}}/redeliver",
        handler=redeliver,
        operation_id="redeliver",
        summary="Make a delivery again, with the same `webhook-id`",
        tag="webhooks",
        access=MANAGE,
        gives=DeliveryView,
        refuses=(NotInThisCatalog, WebhookNotEnabled, TooManyRedeliveries),
        on_repeat="Finds it waiting, or makes it once more.",
    ),
)
