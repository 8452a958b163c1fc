"""Events that services of the platform report, and how their records show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.audit.domain.reports import ServiceReport, ServiceReportKind, require_own_action
from shared.contracts.audit import EventReported
from shared.contracts.facts import Actor, Fact, Outcome, ResourceRef
from shared.redaction import without_secrets


@dataclass(frozen=True, kw_only=True)
class ReportedEvent:
    """An action on a resource of a platform service. Who acted is an actor of the account.

    `request_id`, `trace_id`, `ip` and `user_agent` are of the request that the service was sent.
    """

    id: str
    account_id: str
    action: str
    actor: Actor
    resource: ResourceRef
    project_id: str | None = None
    occurred_at: datetime
    outcome: Outcome = Outcome.SUCCEEDED
    reason: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    request_id: str | None = None
    trace_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None


def event_report(event: ReportedEvent, *, client_id: str) -> ServiceReport:
    """Make the report of an event, without the secrets that it holds.

    Raises:
        Invalid: the action is not in the name space of the resource's type.
    """
    require_own_action(event.action, event.resource.type)
    payload = EventReported(
        event_id=event.id,
        reported_by=client_id,
        action=event.action,
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        trace_id=event.trace_id,
        ip=event.ip,
        user_agent=without_secrets(event.user_agent),
    )
    return ServiceReport(
        kind=ServiceReportKind.EVENT,
        id=event.id,
        account_id=event.account_id,
        occurred_at=event.occurred_at,
        users=_users(event.actor),
        fact=Fact(
            payload=payload,
            resource=event.resource,
            account_id=event.account_id,
            project_id=event.project_id,
            outcome=event.outcome,
            reason=without_secrets(event.reason),
            before=without_secrets(event.before),
            after=without_secrets(event.after),
            actor=event.actor,
        ),
    )


def _users(actor: Actor) -> dict[str, str]:
    pointer = "/actor/id" if actor.type == "user" else "/actor/on_behalf_of"
    return {} if actor.user_id is None else {pointer: actor.user_id}
