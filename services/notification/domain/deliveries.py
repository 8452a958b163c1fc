"""Deliveries: one event to one webhook, its attempts, and when it is tried again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.notification.domain.webhooks import DisabledBecause, Webhook
from shared.ids import AccountId, DeliveryId, WebhookId
from shared.receivers.attempts import (
    GONE,
    MAX_JITTER,
    ReceiverAttempt,
    asked_pause,
    has_failed_for_days,
)

RETRY_PAUSES_SECONDS: tuple[int, ...] = (
    *(5, 300, 1800, 7200),
    *(5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600),
)
"""Pauses after failed attempts; together more than three days, as Standard Webhooks suggests."""
KEPT_ATTEMPTS = 20
DELIVERY_RETENTION = timedelta(days=14)
"""How long a delivery is listed after its event, also if it is made again."""


class DeliveryStatus(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """It was given up, or the webhook was disabled before it was due."""


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery:
    """One event to one webhook. `tries` counts the attempts since it was queued last."""

    id: DeliveryId
    webhook_id: WebhookId
    account_id: AccountId
    event_id: str
    event_type: str
    body: str
    created_at: datetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    tries: int = 0
    attempts: tuple[dict[str, Any], ...] = ()
    """The last ones, as `ReceiverAttempt.shown` gives them."""
    due_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AttemptVerdict:
    """What follows from an attempt: the new status, and if it is pending the next moment."""

    status: DeliveryStatus
    due_at: datetime | None = None
    gone: bool = False
    """The receiver wants nothing more."""
    given_up: bool = False
    """No attempt is left."""


def verdict_of(
    attempt: ReceiverAttempt, *, tries: int, now: datetime, jitter: float
) -> AttemptVerdict:
    """Decide what follows from an attempt; `tries` counts it, `jitter` is from 0 to 1.

    Without jitter every waiting event would reach a returning receiver at the same moment.
    """
    if attempt.succeeded:
        return AttemptVerdict(status=DeliveryStatus.DELIVERED)
    if attempt.status == GONE:
        return AttemptVerdict(status=DeliveryStatus.FAILED, gone=True)
    if tries > len(RETRY_PAUSES_SECONDS):
        return AttemptVerdict(status=DeliveryStatus.FAILED, given_up=True)
    pause = timedelta(seconds=RETRY_PAUSES_SECONDS[tries - 1] * (1 + MAX_JITTER * jitter))
    return AttemptVerdict(
        status=DeliveryStatus.PENDING, due_at=now + max(pause, asked_pause(attempt))
    )


def reason_to_disable(
    webhook: Webhook, verdict: AttemptVerdict, *, now: datetime
) -> DisabledBecause | None:
    """Return why a webhook is disabled after an attempt, if it is."""
    if verdict.gone:
        return DisabledBecause.GONE
    if verdict.given_up and has_failed_for_days(webhook.failing_since, now=now):
        return DisabledBecause.FAILING
    return None


def delivery_id(event_id: str, webhook_id: str) -> DeliveryId:
    """Derive the id: the same event and webhook always give the same one.

    It is a UUIDv8 (RFC 9562) of the event's milliseconds and a digest, so it sorts by their time.
    """
    milliseconds = event_id.removeprefix("evt_")[:12]
    digest = hashlib.sha256(f"{event_id}\n{webhook_id}".encode()).hexdigest()
    return DeliveryId(f"dlv_{milliseconds}8{digest[:3]}8{digest[3:18]}")
