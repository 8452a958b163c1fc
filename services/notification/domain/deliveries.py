"""Deliveries: one event to one webhook, its attempts, and when it is tried again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.notification.domain.webhooks import DisabledBecause, Webhook
from shared.ids import AccountId, DeliveryId, WebhookId

RETRY_PAUSES_SECONDS: tuple[int, ...] = (
    *(5, 300, 1800, 7200),
    *(5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600),
)
"""Pauses after failed attempts; together more than three days, as Standard Webhooks suggests."""
MAX_JITTER = 0.2
"""The part of a pause that is added to it at most."""
FAILING_FOR = timedelta(days=3)
"""How long no attempt has succeeded when a webhook is disabled, once a delivery is given up."""
MAX_RETRY_AFTER = timedelta(hours=1)
"""The longest pause that an answer may ask for with `Retry-After`."""
KEPT_ATTEMPTS = 20
KEPT_ANSWER_BYTES = 500
DELIVERY_RETENTION = timedelta(days=14)
"""How long a delivery is listed after its event, also if it is made again."""
GONE = 410


class DeliveryStatus(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """It was given up, or the webhook was disabled before it was due."""


class RequestResult(StrEnum):
    """What came of a request, as metrics count it."""

    DELIVERED = "delivered"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    """4xx."""
    FAILED = "failed"
    """5xx, or no status that ends a request."""
    UNANSWERED = "unanswered"
    """No answer in time, no connection, or an address that is not allowed."""


@dataclass(frozen=True, kw_only=True)
class WebhookAttempt:
    """One request: when it began, how long it took, and what came of it.

    Without a `status` there was no answer, and `error` says why. `answer` is the beginning of the
    body, as text.
    """

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None
    answer: str = ""
    retry_after: timedelta | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took the event: only 2xx says so."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def seconds(self) -> float:
        """How long it held its place."""
        return self.milliseconds / 1000

    @property
    def result(self) -> RequestResult:
        """What came of it."""
        if self.status is None:
            return RequestResult.UNANSWERED
        by_hundreds = {
            2: RequestResult.DELIVERED,
            3: RequestResult.REDIRECTED,
            4: RequestResult.REFUSED,
        }
        return by_hundreds.get(self.status // 100, RequestResult.FAILED)

    def shown(self) -> dict[str, Any]:
        """Return the attempt as the log of the delivery keeps it."""
        return {
            "at": self.at,
            "milliseconds": self.milliseconds,
            "status": self.status,
            "error": self.error,
            "answer": self.answer,
        }


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
    """The last ones, as `WebhookAttempt.shown` gives them."""
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
    attempt: WebhookAttempt, *, tries: int, now: datetime, jitter: float
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
    asked = min(attempt.retry_after or timedelta(0), MAX_RETRY_AFTER)
    return AttemptVerdict(status=DeliveryStatus.PENDING, due_at=now + max(pause, asked))


def has_failed_for_days(failing_since: datetime | None, *, now: datetime) -> bool:
    """Return whether no attempt has succeeded for so long that the webhook is disabled."""
    return failing_since is not None and failing_since <= now - FAILING_FOR


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


def answer_text(body: bytes) -> str:
    """Return the beginning of an answer as text that every reader can show."""
    text = body[:KEPT_ANSWER_BYTES].decode("utf-8", errors="replace")
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
