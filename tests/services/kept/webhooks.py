"""The writes of deliveries of webhooks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.notification.domain.deliveries import (
    AttemptVerdict,
    DeliveryStatus,
    WebhookDelivery,
    delivery_id,
)
from services.notification.store import Deliveries
from shared.ids import AccountId, WebhookId
from tests.services.kept.stores import DAY
from tests.support.service import FAR

if TYPE_CHECKING:
    from tests.services.kept.stores import Stores

WEBHOOK = WebhookId("whk_" + "1" * 32)
EVENT = "evt_" + "1" * 32
DELIVERY = WebhookDelivery(
    id=delivery_id(EVENT, WEBHOOK),
    webhook_id=WEBHOOK,
    account_id=AccountId("acc_" + "1" * 32),
    event_id=EVENT,
    event_type="member.removed",
    body="{}",
    created_at=FAR,
    due_at=FAR,
)


async def delivery_queued(stores: Stores) -> None:
    deliveries = Deliveries(stores.database)
    await stores.transact(lambda session: deliveries.add(DELIVERY, session))


async def delivery_again(stores: Stores) -> None:
    deliveries, earlier = Deliveries(stores.database), FAR - DAY
    queued = replace(DELIVERY, created_at=earlier, due_at=earlier)
    await stores.transact(lambda session: deliveries.add(queued, session))
    assert await deliveries.claim(queued, None, claim="c", until=FAR)
    failed = AttemptVerdict(status=DeliveryStatus.FAILED)
    assert await deliveries.save(queued, None, failed, claim="c", now=earlier)
    count = await stores.transact(
        lambda session: deliveries.queue_again(WEBHOOK, [queued.id], session, now=FAR)
    )
    assert count == 1
