"""Webhooks: the endpoints of an account that receive its events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from services.notification.domain.webhook_secrets import new_salt
from shared.contracts import notification_webhooks as facts
from shared.contracts.facts import Fact, Payload, ResourceRef
from shared.ids import AccountId, UserId, WebhookId
from shared.problems import Refusal, RefusalKind

MAX_WEBHOOKS = 10
"""Of an account; each of its facts makes as many deliveries at most."""
MAX_OVERLAP = timedelta(days=7)
DEFAULT_OVERLAP = timedelta(days=1)
"""How long the former secret signs beside the new one."""


class DisabledBecause(StrEnum):
    """Why a webhook receives nothing."""

    MEMBER = "member"
    """A member disabled it."""
    GONE = "gone"
    """The receiver answered 410."""
    FAILING = "failing"
    """The receiver failed for days."""
    REVERTED = "reverted"
    """The team became a personal account, and others than its owner had set the address."""


class TooManyWebhooks(Refusal):
    """The account has as many webhooks as it may have."""

    kind = RefusalKind.CONFLICT
    code = "too-many-webhooks"
    detail = "An account has {limit} webhooks at most. Delete one that you do not need."


class WebhookNotEnabled(Refusal):
    """Nothing is sent to a webhook that is disabled."""

    kind = RefusalKind.CONFLICT
    code = "webhook-disabled"
    detail = "The webhook is disabled. Enable it first, with PATCH and `enabled: true`."


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """An endpoint, the events that it receives, and the salts of its secrets."""

    id: WebhookId
    account_id: AccountId
    url: str
    event_types: tuple[str, ...]
    description: str
    created_by: UserId
    created_at: datetime
    salt: str
    secret_at: datetime
    """When the secret was made."""
    secret_key_id: str | None = None
    """The name of the service's key that made the secret; older rows do not have it."""
    previous_salt: str | None = None
    previous_until: datetime | None = None
    """When the former secret signs no more."""
    disabled: DisabledBecause | None = None
    failing_since: datetime | None = None
    """Of the first attempt after which none succeeded."""
    redelivered: int = 0
    """Deliveries that members let make again since `redelivering_since`, in a day."""
    redelivering_since: datetime | None = None
    changes: int = 0
    """Counts the changes by members; a write names the one that it read."""

    @property
    def host(self) -> str:
        """The host of the address."""
        return urlsplit(self.url).hostname or ""

    @property
    def enabled(self) -> bool:
        """Whether events are sent to it."""
        return self.disabled is None

    def salts(self, now: datetime) -> tuple[str, ...]:
        """Return the salts of the secrets that sign now, the newest first."""
        if self.previous_salt is None or self.previous_until is None or now >= self.previous_until:
            return (self.salt,)
        return (self.salt, self.previous_salt)

    def wants(self, event_type: str) -> bool:
        """Return whether an event of this type goes to it."""
        return self.enabled and any(fits(wanted, event_type) for wanted in self.event_types)

    def ref(self) -> ResourceRef:
        """Return the webhook as an audit record names it."""
        return ResourceRef(type="webhook", id=self.id, name=self.host)

    def shown(self) -> dict[str, Any]:
        """Return the webhook as an audit record compares it, without what may be secret."""
        return {
            "host": self.host,
            "event_types": list(self.event_types),
            "description": self.description,
            "enabled": self.enabled,
        }


@dataclass(frozen=True, kw_only=True)
class WebhookChange:
    """What a member changes; what is None stays."""

    url: str | None = None
    event_types: tuple[str, ...] | None = None
    description: str | None = None
    enabled: bool | None = None


def fits(wanted: str, event_type: str) -> bool:
    """Return whether a filter, such as `*`, `member.*` or `member.removed`, takes a type."""
    if wanted.endswith("*"):
        return event_type.startswith(wanted[:-1])
    return wanted == event_type


def check_event_types(wanted: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the filters, each once.

    Raises:
        ValueError: one of them takes no type that exists; the message names it.
    """
    for one in wanted:
        whole = not one.endswith("*") or one == "*" or one.endswith(".*")
        if not whole or not any(fits(one, event_type) for event_type in known):
            raise ValueError(
                f"`{one}` is not an event type, a noun with `.*`, or `*`."
                " Choose from GET /v1/webhook-event-types."
            )
    return tuple(dict.fromkeys(wanted))


def created(webhook: Webhook) -> Fact:
    """Record that a webhook was created."""
    payload = facts.WebhookCreated(**_names(webhook), event_types=webhook.event_types)
    return _fact(webhook, payload, after=webhook.shown())


def change(webhook: Webhook, wanted: WebhookChange) -> tuple[Webhook, Fact | None]:
    """Change a webhook; without a fact if it is as wanted already."""
    changed = replace(
        webhook,
        url=wanted.url or webhook.url,
        event_types=wanted.event_types or webhook.event_types,
        description=webhook.description if wanted.description is None else wanted.description,
    )
    if wanted.enabled is not None and wanted.enabled != webhook.enabled:
        disabled = None if wanted.enabled else DisabledBecause.MEMBER
        changed = replace(changed, disabled=disabled, failing_since=None)
    if changed == webhook:
        return webhook, None
    changed = replace(changed, changes=webhook.changes + 1)
    names = ("url", "event_types", "description", "enabled")
    payload = facts.WebhookChanged(
        **_names(changed),
        event_types=changed.event_types,
        enabled=changed.enabled,
        changed=tuple(one for one in names if getattr(webhook, one) != getattr(changed, one)),
    )
    return changed, _fact(changed, payload, before=webhook.shown(), after=changed.shown())


def rotate(
    webhook: Webhook, *, key_id: str, overlap: timedelta, now: datetime
) -> tuple[Webhook, Fact]:
    """Give a webhook a new secret; the former one signs beside it until the overlap is over."""
    until = now + overlap
    rotated = replace(
        webhook,
        salt=new_salt(),
        secret_at=now,
        secret_key_id=key_id,
        previous_salt=webhook.salt,
        previous_until=until,
        changes=webhook.changes + 1,
    )
    payload = facts.WebhookSecretRotated(**_names(webhook), previous_until=until)
    return rotated, _fact(webhook, payload, after={"previous_until": until})


def disable(
    webhook: Webhook,
    because: DisabledBecause,
    *,
    account_name: str = "",
    manager_emails: Sequence[str] = (),
) -> tuple[Webhook, Fact]:
    """Disable a webhook for the platform; a mail tells those of these addresses."""
    disabled = replace(webhook, disabled=because, changes=webhook.changes + 1)
    payload = facts.WebhookDisabled(
        **_names(webhook),
        because=because.value,
        description=webhook.description,
        account_name=account_name,
        manager_emails=tuple(manager_emails),
    )
    return disabled, _fact(
        webhook, payload, before={"enabled": True}, after={"enabled": False}, reason=because.value
    )


def deleted(webhook: Webhook) -> Fact:
    """Record that a webhook was deleted."""
    return _fact(webhook, facts.WebhookDeleted(**_names(webhook)), before=webhook.shown())


def tested(webhook: Webhook) -> Fact:
    """Record that a test event was queued."""
    return _fact(webhook, facts.WebhookTested(**_names(webhook)))


def redelivered(webhook: Webhook, deliveries: int) -> Fact:
    """Record that deliveries were queued again."""
    payload = facts.WebhookRedelivered(**_names(webhook), deliveries=deliveries)
    return _fact(webhook, payload, after={"deliveries": deliveries})


def _names(webhook: Webhook) -> dict[str, Any]:
    return {"webhook_id": webhook.id, "host": webhook.host}


def _fact(webhook: Webhook, payload: Payload, **shown: Any) -> Fact:
    return Fact(payload=payload, resource=webhook.ref(), account_id=webhook.account_id, **shown)
