"""What a platform service tells the audit log: an event of its own, or metered usage."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


def _new_id() -> str:
    return uuid.uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """Something that a service did to a resource. `action` begins with the type of the resource.

    `user` is who acted, through an API token, a session or the client `via` if those are given.
    Without `user` the service acted by itself, `on_behalf_of` a user if one is named. `id` makes a
    repeat harmless: keep it with your own record if you may report again after a crash.
    """

    account: str
    action: str
    resource: str
    user: str | None = None
    session: str | None = None
    token: str | None = None
    via: str | None = None
    on_behalf_of: str | None = None
    resource_name: str | None = None
    project: str | None = None
    outcome: str = "succeeded"
    reason: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    request_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    occurred_at: datetime = field(default_factory=_now)
    id: str = field(default_factory=_new_id)

    def body(self) -> dict[str, Any]:
        """The event as the API takes it."""
        by_user = self.user is not None
        return {
            "id": self.id,
            "account_id": self.account,
            "action": self.action,
            "actor": {
                "type": "user" if by_user else "service",
                "id": self.user,
                "session_id": self.session,
                "token_id": self.token,
                "via": self.via,
                "on_behalf_of": self.on_behalf_of,
            },
            "resource": {
                "type": self.action.partition(".")[0],
                "id": self.resource,
                "name": self.resource_name,
            },
            "project_id": self.project,
            "occurred_at": self.occurred_at.isoformat(),
            "outcome": self.outcome,
            "reason": self.reason,
            "before": self.before,
            "after": self.after,
            "request": {"id": self.request_id, "ip": self.ip, "user_agent": self.user_agent},
        }


@dataclass(frozen=True, kw_only=True)
class MemberUsage:
    """How much a member used of a resource, in a unit, and what it cost in a currency."""

    account: str
    user: str
    resource_type: str
    resource: str
    quantity: Decimal
    unit: str
    cost: Decimal | None = None
    currency: str | None = None
    project: str | None = None
    occurred_at: datetime = field(default_factory=_now)
    id: str = field(default_factory=_new_id)

    def body(self) -> dict[str, Any]:
        """The usage as the API takes it."""
        cost = None
        if self.cost is not None:
            cost = {"amount": format(self.cost, "f"), "currency": self.currency}
        return {
            "id": self.id,
            "account_id": self.account,
            "user_id": self.user,
            "resource": {"type": self.resource_type, "id": self.resource},
            "project_id": self.project,
            "quantity": format(self.quantity, "f"),
            "unit": self.unit,
            "cost": cost,
            "occurred_at": self.occurred_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class ReportOutcome:
    """What became of one report. It is recorded, or refused for good with a code and a sentence."""

    id: str
    recorded: bool
    code: str | None = None
    detail: str | None = None
