"""Claims of deliveries: one sender makes a request, and only what has ended is queued again."""

from datetime import timedelta
from functools import partial

from services.notification.domain.deliveries import (
    DELIVERY_RETENTION,
    AttemptVerdict,
    DeliveryStatus,
    WebhookDelivery,
    delivery_id,
)
from shared.ids import AccountId, WebhookId
from shared.mongo import transact

EVENT = "evt_01990b5d2f0c7a3fb1e2c3d4e5f60718"
WEBHOOK, OTHER = (WebhookId("whk_" + sign * 32) for sign in "12")
TERM = timedelta(seconds=30)
DELIVERED = AttemptVerdict(status=DeliveryStatus.DELIVERED)


async def queued(sending):
    """The deliveries of a service, with one that waits."""
    now, deliveries = sending.clock.now(), sending.ctx.deliveries
    delivery = WebhookDelivery(
        id=delivery_id(EVENT, WEBHOOK),
        webhook_id=WEBHOOK,
        account_id=AccountId("acc_" + "1" * 32),
        event_id=EVENT,
        event_type="member.removed",
        body="{}",
        created_at=now,
        due_at=now,
    )
    await transact(sending.ctx.client, partial(deliveries.add, delivery))
    return deliveries, now


async def test_a_delivery_has_one_claim_and_its_holder_saves_the_result(sending):
    deliveries, now = await queued(sending)
    [(found, none)] = await deliveries.due(now, closed=(), limit=10)
    assert await deliveries.claim(found, none, claim="first", until=now + TERM)
    assert not await deliveries.claim(found, none, claim="second", until=now + TERM)
    [(again, former)] = await deliveries.due(now + TERM, closed=(), limit=10)
    assert (again.tries, former) == (1, "first")
    assert await deliveries.claim(again, former, claim="second", until=now + 2 * TERM)
    assert not await deliveries.save(again, None, DELIVERED, claim="first", now=now + TERM)
    kept = await deliveries.find(WEBHOOK, found.id)
    assert kept is not None
    assert kept.status is DeliveryStatus.PENDING
    assert await deliveries.save(again, None, DELIVERED, claim="second", now=now + TERM)


async def test_what_has_ended_is_queued_again_with_all_of_its_tries(sending):
    deliveries, now = await queued(sending)
    [(found, none)] = await deliveries.due(now, closed=(), limit=10)

    async def queue_again(webhook_id):
        write = partial(deliveries.queue_again, webhook_id, [found.id], now=now + TERM)
        return await transact(sending.ctx.client, write)

    assert await queue_again(WEBHOOK) == 0
    await deliveries.claim(found, none, claim="first", until=now + TERM)
    assert await queue_again(WEBHOOK) == 0
    await deliveries.save(found, None, DELIVERED, claim="first", now=now)
    assert await queue_again(OTHER) == 0
    assert await queue_again(WEBHOOK) == 1
    [(again, former)] = await deliveries.due(now + TERM, closed=(), limit=10)
    assert (again.tries, again.finished_at, former) == (0, None, None)
    [stored] = await sending.database["deliveries"].find({}).to_list(2)
    assert stored["delete_at"] == now + DELIVERY_RETENTION
