"""The writes of deliveries of webhooks."""

from __future__ import annotations

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
    deliveries, later = Deliveries(stores.database), FAR + DAY
    await stores.transact(lambda session: deliveries.add(DELIVERY, session))
    assert await deliveries.claim(DELIVERY, None, claim="c", until=later)
    failed = AttemptVerdict(status=DeliveryStatus.FAILED)
    assert await deliveries.save(DELIVERY, None, failed, claim="c", now=FAR)
    count = await stores.transact(
        lambda session: deliveries.queue_again(WEBHOOK, [DELIVERY.id], session, now=later)
    )
    assert count == 1
