"""The sender of webhooks: the worker that makes the requests as they become due."""

import asyncio
import contextlib
import logging
import random
import secrets
from datetime import timedelta

from services.notification.domain import webhooks
from services.notification.domain.deliveries import (
    AttemptVerdict,
    DeliveryStatus,
    WebhookDelivery,
    reason_to_disable,
    verdict_of,
)
from services.notification.domain.webhook_secrets import (
    FORMER_SECRET,
    may_be_former,
    signed_headers,
)
from services.notification.domain.webhooks import DisabledBecause, Webhook
from services.notification.use_cases.context import Ctx
from shared.contracts.facts import service_caller
from shared.contracts.topology import Service
from shared.ids import WebhookId
from shared.inbox import AWAY
from shared.journal import JournalWrite
from shared.metrics import FORMER_KEY_USES, WEBHOOK_ATTEMPTS
from shared.mongo import DatabaseWatch
from shared.receivers.attempts import ReceiverAttempt
from shared.receivers.slots import Slots

MAX_PAGES = 20
"""Pages of due deliveries that are read for one with a place. The webhooks of a page that get none
are left out of the next."""

logger = logging.getLogger(__name__)


async def run_webhook_sender(ctx: Ctx, *, connections: int) -> None:
    """Make due requests, `connections` at a time, until cancelled.

    After a crash, or if the database is away when a result is saved, the claim runs out and the
    request is made again with the same `webhook-id`.
    """
    slots = Slots(total=connections)
    in_hand: set[asyncio.Task[None]] = set()
    database = DatabaseWatch("Due webhooks cannot be read.")

    def done(task: asyncio.Task[None]) -> None:
        in_hand.discard(task)
        ctx.deliveries_queued.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("The result of a webhook was not saved: %s", error, exc_info=error)

    try:
        while True:
            ctx.deliveries_queued.clear()
            with database.round():
                while claimed := await claim_due_deliveries(ctx, slots):
                    for delivery, claim in claimed:
                        task = asyncio.create_task(send(ctx, delivery, claim, slots))
                        in_hand.add(task)
                        task.add_done_callback(done)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ctx.timeouts.webhook_poll):
                    await ctx.deliveries_queued.wait()
    finally:
        for task in in_hand:
            task.cancel()
        await asyncio.gather(*in_hand, return_exceptions=True)


async def claim_due_deliveries(ctx: Ctx, slots: Slots) -> list[tuple[WebhookDelivery, str]]:
    """Claim what is due and has a place, and take the places; each comes with its claim."""
    if not slots.free:
        return []
    now = ctx.clock.now()
    until = now + timedelta(seconds=ctx.timeouts.webhook_claim)
    claimed: list[tuple[WebhookDelivery, str]] = []
    for _ in range(MAX_PAGES):
        due = await ctx.deliveries.due(
            now, closed=[WebhookId(one) for one in slots.closed()], limit=slots.free
        )
        for delivery, former in due:
            if not slots.takes(delivery.webhook_id, delivery.account_id):
                continue
            claim = secrets.token_hex(8)
            if await ctx.deliveries.claim(delivery, former, claim=claim, until=until):
                slots.take(delivery.webhook_id, delivery.account_id)
                claimed.append((delivery, claim))
        if claimed or not due:
            break
    return claimed


async def send(ctx: Ctx, delivery: WebhookDelivery, claim: str, slots: Slots) -> None:
    """Make one request, save what came of it, and give the place back."""
    attempt: ReceiverAttempt | None = None
    try:
        webhook = await ctx.webhooks.find(delivery.account_id, delivery.webhook_id)
        if webhook is None:
            # It ended while the event was queued; its deliveries ended with it.
            await ctx.deliveries.delete(delivery)
            return
        if not webhook.enabled:
            verdict = AttemptVerdict(status=DeliveryStatus.FAILED)
            await ctx.deliveries.save(delivery, None, verdict, claim=claim, now=ctx.clock.now())
            return
        attempt = await _attempt(ctx, delivery, webhook)
        await _save(ctx, delivery, webhook, attempt, claim)
        ctx.outages.webhooks.back()
    except AWAY as away:
        ctx.outages.webhooks.away(away)
    finally:
        slots.release(delivery.webhook_id, seconds=None if attempt is None else attempt.seconds)


async def _attempt(ctx: Ctx, delivery: WebhookDelivery, webhook: Webhook) -> ReceiverAttempt:
    now, body = ctx.clock.now(), delivery.body.encode()
    if may_be_former(ctx.webhook_key, ctx.former_webhook_keys, webhook.secret_key_id):
        FORMER_KEY_USES.labels(Service.NOTIFICATION, FORMER_SECRET).inc()
    headers = signed_headers(
        ctx.webhook_key,
        webhook.id,
        webhook.salts(now),
        event_id=delivery.event_id,
        timestamp=int(now.timestamp()),
        body=body,
        former_keys=ctx.former_webhook_keys,
    )
    return await ctx.posts.post(webhook.url, body, headers, account_id=webhook.account_id)


async def _save(
    ctx: Ctx, delivery: WebhookDelivery, webhook: Webhook, attempt: ReceiverAttempt, claim: str
) -> None:
    now = ctx.clock.now()
    WEBHOOK_ATTEMPTS.labels(Service.NOTIFICATION, attempt.result).inc()
    verdict = verdict_of(attempt, tries=delivery.tries + 1, now=now, jitter=random.random())
    because = reason_to_disable(webhook, verdict, now=attempt.at)
    if because is not None:
        await _disable(ctx, webhook, because)
    elif attempt.succeeded:
        if webhook.failing_since is not None:
            await ctx.webhooks.note_success(webhook)
    elif webhook.failing_since is None:
        await ctx.webhooks.note_failure(webhook, attempt.at)
    await ctx.deliveries.save(delivery, attempt, verdict, claim=claim, now=now)


async def _disable(ctx: Ctx, found: Webhook, because: DisabledBecause) -> None:
    """Disable a webhook, unless a member has changed it since the request was made.

    Raises:
        Unavailable: team could not say whom a mail tells; the request is made again later.
    """
    told = await ctx.accounts.managers(found.account_id)

    async def change(write: JournalWrite) -> None:
        webhook = await ctx.webhooks.find(found.account_id, found.id, write.session)
        if webhook is None or not webhook.enabled or webhook.changes != found.changes:
            return
        disabled, fact = webhooks.disable(
            webhook,
            because,
            account_name=told.account_name,
            manager_emails=told.manager_emails,
        )
        await ctx.webhooks.update(webhook, disabled, write.session)
        write.record(fact)

    await ctx.journal.write(
        found.account_id,
        change,
        caller=service_caller(Service.NOTIFICATION),
        effective_everywhere=False,
    )
