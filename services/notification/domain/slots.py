"""The places for requests to webhooks in one process: no receiver holds up another one."""

from collections import Counter
from dataclasses import dataclass, field

from shared.ids import WebhookId

PER_WEBHOOK = 4
"""Requests to one webhook at the same time."""
PER_SLOW_WEBHOOK = 1
SLOW_PART = 4
"""Slow webhooks together have one in this number of all places."""


@dataclass(kw_only=True)
class Slots:
    """How many requests are in hand, of which webhooks, and which of these did not answer last.

    A webhook that did not answer in time holds its place as long as a request may take. So such
    webhooks share a few places until they answer again.
    """

    total: int
    in_hand: Counter[WebhookId] = field(default_factory=Counter)
    slow: set[WebhookId] = field(default_factory=set)

    @property
    def free(self) -> int:
        """The places that are free."""
        return self.total - self.in_hand.total()

    def closed(self) -> list[WebhookId]:
        """The webhooks that get no further place now."""
        shared = self.slow if self._slow_in_hand() >= self._for_slow() else frozenset()
        return [*{one for one in self.in_hand if self._full(one)} | shared]

    def takes(self, webhook_id: WebhookId) -> bool:
        """Return whether a webhook gets a further place now."""
        if self.free < 1 or self._full(webhook_id):
            return False
        return webhook_id not in self.slow or self._slow_in_hand() < self._for_slow()

    def take(self, webhook_id: WebhookId) -> None:
        """Take a place."""
        self.in_hand[webhook_id] += 1

    def release(self, webhook_id: WebhookId, *, slow: bool | None) -> None:
        """Give a place back; `slow` says whether there was no answer, if a request was made."""
        self.in_hand[webhook_id] -= 1
        if not self.in_hand[webhook_id]:
            del self.in_hand[webhook_id]
        if slow is True:
            self.slow.add(webhook_id)
        elif slow is False:
            self.slow.discard(webhook_id)

    def _full(self, webhook_id: WebhookId) -> bool:
        limit = PER_SLOW_WEBHOOK if webhook_id in self.slow else PER_WEBHOOK
        return self.in_hand[webhook_id] >= limit if webhook_id in self.in_hand else False

    def _for_slow(self) -> int:
        return max(1, self.total // SLOW_PART)

    def _slow_in_hand(self) -> int:
        return sum(count for one, count in self.in_hand.items() if one in self.slow)
