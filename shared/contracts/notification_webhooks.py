"""The facts of notification about webhooks: the endpoints to which an account's events go."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload


class _Webhook(Payload):
    webhook_id: str
    host: str
    """Of its address; the rest may hold a secret of the receiver."""


class WebhookCreated(_Webhook):
    """A webhook was created: events of the account go to its address."""

    type: ClassVar[str] = "notification.webhook.created.v1"
    event_types: tuple[str, ...]


class WebhookChanged(_Webhook):
    """The address, events, description or state of a webhook changed."""

    type: ClassVar[str] = "notification.webhook.changed.v1"
    event_types: tuple[str, ...]
    enabled: bool
    changed: tuple[str, ...]
    """The names of the members that changed."""


class WebhookSecretRotated(_Webhook):
    """A webhook got a new secret; both sign until the former one ends."""

    type: ClassVar[str] = "notification.webhook.secret_rotated.v1"
    previous_until: datetime


class WebhookDisabled(_Webhook):
    """The platform disabled a webhook: it is gone, has failed, or is of a reverted team."""

    type: ClassVar[str] = "notification.webhook.disabled.v1"
    because: str
    """`gone` (410), `failing`, or `reverted` (the team became a personal account)."""
    description: str = ""
    account_name: str = ""
    manager_emails: tuple[str, ...] = ()


class WebhookDeleted(_Webhook):
    """A webhook was deleted: nothing is sent to its address any more."""

    type: ClassVar[str] = "notification.webhook.deleted.v1"


class WebhookTested(_Webhook):
    """A test event was queued for a webhook."""

    type: ClassVar[str] = "notification.webhook.tested.v1"


class WebhookRedelivered(_Webhook):
    """Deliveries of a webhook were queued again."""

    type: ClassVar[str] = "notification.webhook.redelivered.v1"
    deliveries: int


FACTS: tuple[type[Payload], ...] = (
    WebhookCreated,
    WebhookChanged,
    WebhookSecretRotated,
    WebhookDisabled,
    WebhookDeleted,
    WebhookTested,
    WebhookRedelivered,
)
