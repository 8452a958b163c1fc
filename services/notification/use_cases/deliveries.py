"""The log of a webhook's deliveries, test events, and deliveries that are made again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from services.notification.domain import webhooks
from services.notification.domain.deliveries import DeliveryStatus, WebhookDelivery, delivery_id
from services.notification.domain.public_events import TEST_EVENT, as_body, test_event
from services.notification.domain.redeliveries import MAX_REDELIVERED, counted, left_of_the_day
from services.notification.domain.webhooks import Webhook, WebhookNotEnabled
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.named_callers import named
from shared.contracts.facts import Caller
from shared.ids import AccountId, DeliveryId, WebhookId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.problems import NotFound, Refusal, RefusalKind

T = TypeVar("T")

TESTS_AT_MOST = 10
TEST_WINDOW = timedelta(minutes=1)


class TooManyTests(Refusal):
    """The webhook had its test events of the minute."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-tests"
    detail = "A webhook gets {limit} test events in a minute at most. Try again later."


@dataclass(frozen=True, kw_only=True)
class Redelivered:
    """How many deliveries were queued again, and whether there are more of them."""

    deliveries: int
    more: bool


async def page(
    ctx: Ctx,
    account_id: AccountId,
    webhook_id: WebhookId,
    *,
    status: DeliveryStatus | None,
    before: str | None,
    limit: int,
) -> list[WebhookDelivery]:
    """Return deliveries of a webhook, those of the newest events first.

    Raises:
        NotFound: the account has no such webhook.
    """
    await _webhook(ctx, account_id, webhook_id)
    return await ctx.deliveries.page(webhook_id, status=status, before=before, limit=limit)


async def get(
    ctx: Ctx, account_id: AccountId, webhook_id: WebhookId, which: DeliveryId
) -> WebhookDelivery:
    """Return a delivery of a webhook.

    Raises:
        NotFound: the account has no such webhook, or that no such delivery.
    """
    await _webhook(ctx, account_id, webhook_id)
    found = await ctx.deliveries.find(webhook_id, which)
    if found is None:
        raise NotFound
    return found


async def send_test(
    ctx: Ctx, caller: Caller, account_id: AccountId, webhook_id: WebhookId
) -> WriteResult[WebhookDelivery]:
    """Queue a test event for one webhook.

    Raises:
        NotFound, WebhookNotEnabled, TooManyTests.
    """
    event_id = new_id("evt")

    async def change(write: JournalWrite) -> WebhookDelivery:
        webhook = await _enabled(ctx, account_id, webhook_id, write)
        known = await ctx.deliveries.count_since(
            webhook.id, TEST_EVENT, write.now - TEST_WINDOW, write.session, limit=TESTS_AT_MOST
        )
        if known >= TESTS_AT_MOST:
            raise TooManyTests(limit=TESTS_AT_MOST, retry_after=int(TEST_WINDOW.total_seconds()))
        delivery = WebhookDelivery(
            id=delivery_id(event_id, webhook.id),
            webhook_id=webhook.id,
            account_id=account_id,
            event_id=event_id,
            event_type=TEST_EVENT,
            body=as_body(test_event(account_id, webhook.id, at=write.now)),
            created_at=write.now,
            due_at=write.now,
        )
        await ctx.deliveries.add(delivery, write.session)
        write.record(webhooks.tested(webhook))
        return delivery

    return await _write(ctx, caller, account_id, change)


async def redeliver(
    ctx: Ctx, caller: Caller, account_id: AccountId, webhook_id: WebhookId, which: DeliveryId
) -> WriteResult[WebhookDelivery]:
    """Queue one delivery again, also one that succeeded; one that waits stays as it is.

    Raises:
        NotFound, WebhookNotEnabled, TooManyRedeliveries.
    """

    async def change(write: JournalWrite) -> WebhookDelivery:
        webhook = await _enabled(ctx, account_id, webhook_id, write)
        await _left(ctx, account_id, write)
        await _queue_again(ctx, webhook, [which], write)
        found = await ctx.deliveries.find(webhook_id, which, write.session)
        if found is None:
            raise NotFound
        return found

    return await _write(ctx, caller, account_id, change)


async def redeliver_failed(
    ctx: Ctx, caller: Caller, account_id: AccountId, webhook_id: WebhookId, *, since: datetime
) -> WriteResult[Redelivered]:
    """Queue the failed deliveries since a moment again, `MAX_REDELIVERED` at a time.

    Raises:
        NotFound, WebhookNotEnabled, TooManyRedeliveries.
    """

    async def change(write: JournalWrite) -> Redelivered:
        webhook = await _enabled(ctx, account_id, webhook_id, write)
        most = min(MAX_REDELIVERED, await _left(ctx, account_id, write))
        found = await ctx.deliveries.failed_since(webhook_id, since, write.session, limit=most + 1)
        count = await _queue_again(ctx, webhook, found[:most], write)
        return Redelivered(deliveries=count, more=len(found) > most)

    return await _write(ctx, caller, account_id, change)


async def _left(ctx: Ctx, account_id: AccountId, write: JournalWrite) -> int:
    of_account = await ctx.webhooks.of_account(account_id, write.session)
    return left_of_the_day(of_account, now=write.now)


async def _queue_again(
    ctx: Ctx, webhook: Webhook, ids: Sequence[DeliveryId], write: JournalWrite
) -> int:
    """Queue deliveries again, count them, and record their number."""
    count = await ctx.deliveries.queue_again(webhook.id, ids, write.session, now=write.now)
    if count:
        after = counted(webhook, count, now=write.now)
        await ctx.webhooks.update(webhook, after, write.session)
        write.record(webhooks.redelivered(webhook, count))
    return count


async def _webhook(ctx: Ctx, account_id: AccountId, webhook_id: WebhookId) -> Webhook:
    found = await ctx.webhooks.find(account_id, webhook_id)
    if found is None:
        raise NotFound
    return found


async def _enabled(
    ctx: Ctx, account_id: AccountId, webhook_id: WebhookId, write: JournalWrite
) -> Webhook:
    found = await ctx.webhooks.find(account_id, webhook_id, write.session)
    if found is None:
        raise NotFound
    if not found.enabled:
        raise WebhookNotEnabled
    return found


async def _write(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    change: Callable[[JournalWrite], Awaitable[T]],
) -> WriteResult[T]:
    written = await ctx.journal.write(
        account_id, change, caller=await named(ctx, caller), effective_everywhere=False
    )
    ctx.deliveries_queued.set()
    return written
