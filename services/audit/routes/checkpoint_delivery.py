"""The routes by which an account has its checkpoints delivered."""

from pydantic import Field

from services.audit.domain.checkpoint_delivery import CheckpointDelivery
from services.audit.routes.filters import READ
from services.audit.use_cases.checkpoint_delivery import change_delivery
from services.audit.use_cases.context import Ctx
from shared.http.access import Permission
from shared.http.routes import Answer, Body, Call, Route

PATH = "/v1/accounts/{account_id}/audit-checkpoint/delivery"


class CheckpointDeliveryBody(Body):
    """Whether an account has its checkpoints delivered."""

    daily: bool = Field(
        description="Once a day as the event `checkpoint.published` of webhooks, and as a mail to"
        " the members who manage members"
    )


class CheckpointDeliveryView(Answer):
    """Whether an account has its checkpoints delivered."""

    daily: bool
    delivered_on: str | None
    """The day (UTC) of the last delivery."""


def _view(delivery: CheckpointDelivery) -> CheckpointDeliveryView:
    return CheckpointDeliveryView(daily=delivery.daily, delivered_on=delivery.day or None)


async def show_delivery(ctx: Ctx, call: Call[None, None]) -> CheckpointDeliveryView:
    """Show what the account has chosen."""
    return _view(await ctx.store.checkpoint_delivery(call.account_id))


async def set_delivery(
    ctx: Ctx, call: Call[CheckpointDeliveryBody, None]
) -> CheckpointDeliveryView:
    """Begin or end the delivery."""
    done = await change_delivery(ctx, call.caller, call.account_id, daily=call.body.daily)
    return _view(done.result)


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handler=show_delivery,
        operation_id="getAuditCheckpointDelivery",
        summary="Show whether checkpoints are delivered daily",
        tag="audit",
        access=READ,
        gives=CheckpointDeliveryView,
    ),
    Route(
        method="PUT",
        path=PATH,
        handler=set_delivery,
        operation_id="setAuditCheckpointDelivery",
        summary="Begin or end the daily delivery of checkpoints",
        tag="audit",
        access=Permission("webhook:manage"),
        takes=CheckpointDeliveryBody,
        gives=CheckpointDeliveryView,
    ),
)
