"""A record of the audit log as the API shows it."""

from datetime import datetime
from typing import Any, Self

from services.audit.domain.records import Record
from shared.contracts.facts import Actor, Outcome, ResourceRef
from shared.http.routes import Answer


class RecordPosition(Answer):
    """The row's position in its service's journal; gapless by (source, epoch, shard)."""

    source: str
    epoch: str
    shard: int
    seq: int


class AuditRecordView(Answer):
    """One record of the audit log."""

    id: str
    account_id: str | None
    account_rev: int | None
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    action: str
    resource: ResourceRef
    project_id: str | None
    outcome: Outcome
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None
    request_id: str | None
    """`null` for a count of many requests, such as denied checks."""
    trace_id: str | None
    ip: str | None
    user_agent: str | None
    change_id: str
    position: RecordPosition
    reported_by: str | None
    """The service client that reported it; `null` if Rolecall saw it itself."""
    erased: tuple[str, ...]
    """The values that were erased because their person was, such as `actor.name`."""

    @classmethod
    def of(cls, record: Record) -> Self:
        """Return the record as the API shows it."""
        return cls(
            id=record.id,
            account_id=record.account_id,
            account_rev=record.account_rev,
            occurred_at=record.occurred_at,
            recorded_at=record.recorded_at,
            actor=record.actor,
            action=record.action,
            resource=record.resource,
            project_id=record.project_id,
            outcome=record.outcome,
            before=None if record.before is None else dict(record.before),
            after=None if record.after is None else dict(record.after),
            reason=record.reason,
            request_id=record.request.request_id or None,
            trace_id=record.request.trace_id,
            ip=record.request.ip,
            user_agent=record.request.user_agent,
            change_id=record.change_id,
            position=RecordPosition(**record.position._asdict()),
            reported_by=record.reported_by,
            erased=record.erased,
        )
