"""What is a record of the audit log, and what does a search ask for?"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts import identity
from shared.contracts.facts import (
    Actor,
    Outcome,
    Payload,
    Position,
    RequestInfo,
    ResourceRef,
    Row,
)
from shared.redaction import is_secret_name, redact_values

REMOVED = "[removed]"

_NAMING = frozenset(
    fact.type
    for fact in (
        identity.UserSignedUp,
        identity.UserVerified,
        identity.UserVerificationResent,
        identity.UserRenamed,
    )
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row of a service's journal, as the audit log keeps it."""

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
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None
    request: RequestInfo
    position: Position
    change_id: str
    digest: str
    """Of the whole row; two rows with one id and different digests cannot both be true."""

    @property
    def order(self) -> str:
        """Sorts as time does, and within a millisecond as the rows were told."""
        return f"{moment_key(self.occurred_at)}.{self.position.seq:010x}.{self.id}"

    @property
    def noun(self) -> str:
        """The action's first word with its dot: `member.`."""
        return self.action.partition(".")[0] + "."


@dataclass(frozen=True, kw_only=True)
class Person:
    """How a user is called, for whoever reads the log; the id is what counts."""

    user_id: str
    name: str
    email: str
    as_of: datetime


class _Named(Payload):
    user_id: str
    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a search asks for (Rp14); `None` asks for everything."""

    since: datetime | None = None
    """From this moment on."""
    until: datetime | None = None
    """Before this moment."""
    user: str | None = None
    """The actor's id, or the e-mail address of a user who acted."""
    resource_type: str | None = None
    resource_id: str | None = None
    action: str | None = None
    """The whole action, or its beginning with `.` or `*` at the end."""
    outcome: Outcome | None = None
    project: str | None = None
    request_id: str | None = None


def record_of(row: Row, *, recorded_at: datetime) -> Record:
    """The record of a row. It holds who, what and how it ended, and no secret."""
    return Record(
        id=row.id,
        account_id=row.account_id,
        account_rev=row.account_rev,
        occurred_at=row.occurred_at,
        recorded_at=recorded_at,
        actor=row.actor,
        action=row.action,
        resource=row.resource,
        project_id=row.project_id,
        outcome=row.outcome,
        before=without_secrets(row.before),
        after=without_secrets(row.after),
        reason=without_secrets(row.reason),
        request=row.request,
        position=row.position,
        change_id=row.change_id,
        digest=digest(row),
    )


def digest(row: Row) -> str:
    """SHA-256 of the row in one way of writing it: sorted members, nothing that is the default.

    Defaults are left out so that a field which a later version adds changes no old digest.
    """
    content = row.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def without_secrets(value: Any) -> Any:
    """The value without what is named, or looks, like a secret."""
    return redact_values(value, is_secret=is_secret_name, replacement=REMOVED)


def person_of(row: Row) -> Person | None:
    """Whose name or address a row tells, if it does; data that do not fit name nobody."""
    if row.type not in _NAMING:
        return None
    try:
        user = _Named.model_validate(row.data)
    except ValueError:
        return None
    return Person(user_id=user.user_id, name=user.name, email=user.email, as_of=row.occurred_at)


def moment_key(moment: datetime) -> str:
    """Milliseconds since 1970 in twelve hexadecimal digits: they sort as the moments do."""
    return f"{max(0, round(moment.timestamp() * 1000)):012x}"
