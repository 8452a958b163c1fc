"""The backlog of mails and webhooks as metrics, counted by every replica now and then."""

from services.notification.use_cases.context import Ctx
from shared import metrics
from shared.contracts.topology import Service
from shared.mongo import DatabaseWatch

COUNT_SECONDS = 15.0
"""The pause between two counts."""


async def run_backlog(ctx: Ctx) -> None:
    """Show the backlog until cancelled."""
    database = DatabaseWatch("The backlog is not counted.")
    while True:
        with database.round():
            await show_backlog(ctx)
        await ctx.pause(COUNT_SECONDS)


async def show_backlog(ctx: Ctx) -> None:
    """Count the mails and webhooks that wait, once."""
    waiting = await ctx.messages.waiting(ctx.clock.now())
    shown = metrics.MAILS_WAITING.labels
    shown(Service.NOTIFICATION, "no").set(waiting.fresh)
    shown(Service.NOTIFICATION, "yes").set(waiting.tried)
    overdue = metrics.MAILS_OVERDUE.labels(Service.NOTIFICATION)
    overdue.set(waiting.overdue.total_seconds())
    deliveries = await ctx.deliveries.waiting(ctx.clock.now())
    shown = metrics.WEBHOOKS_WAITING.labels
    shown(Service.NOTIFICATION, "no").set(deliveries.fresh)
    shown(Service.NOTIFICATION, "yes").set(deliveries.tried)
    overdue = metrics.WEBHOOKS_OVERDUE.labels(Service.NOTIFICATION)
    overdue.set(deliveries.overdue.total_seconds())
