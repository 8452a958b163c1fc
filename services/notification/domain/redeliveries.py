"""Deliveries that a member lets make again: how many in a day."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from services.notification.domain.webhooks import Webhook
from shared.problems import Refusal, RefusalKind

MAX_REDELIVERED = 1000
"""The deliveries that one request queues again."""
MAX_OF_A_DAY = 10_000
"""The deliveries of all webhooks of an account that are queued again in a day."""
DAY = timedelta(days=1)


class TooManyRedeliveries(Refusal):
    """The account had its redeliveries of the day."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-redeliveries"
    detail = "An account makes {limit} deliveries again in a day at most. Try again later."


def left_of_the_day(webhooks: Iterable[Webhook], *, now: datetime) -> int:
    """Return how many more deliveries of the account can be queued again now.

    Each webhook counts its own. A deleted one takes its count with it, and its deliveries.

    Raises:
        TooManyRedeliveries: none.
    """
    used = [
        (one.redelivering_since, one.redelivered)
        for one in webhooks
        if one.redelivering_since is not None and now < one.redelivering_since + DAY
    ]
    left = MAX_OF_A_DAY - sum(count for _, count in used)
    if left < 1:
        ends = min(since for since, _ in used) + DAY
        seconds = max(1, int((ends - now).total_seconds()))
        raise TooManyRedeliveries(limit=MAX_OF_A_DAY, retry_after=seconds)
    return left


def counted(webhook: Webhook, deliveries: int, *, now: datetime) -> Webhook:
    """The webhook with these deliveries counted, from the first one of its day on."""
    since = webhook.redelivering_since
    if since is not None and now < since + DAY:
        return replace(webhook, redelivered=webhook.redelivered + deliveries)
    return replace(webhook, redelivered=deliveries, redelivering_since=now)
