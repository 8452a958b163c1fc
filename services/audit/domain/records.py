"""Records of the audit log: what they hold, how they are ordered, and the filters of a search."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from shared.contracts import identity, identity_addresses, identity_erasure
from shared.contracts.audit import EventReported, UsageRecorded
from shared.contracts.facts import (
    Actor,
    Outcome,
    Payload,
    Position,
    RequestInfo,
    ResourceRef,
    Row,
    content_time,
)
from shared.contracts.registry import payload_of
from shared.contracts.topology import Service
from shared.redaction import without_secrets

_USER_FACTS = frozenset(
    fact.type
    for fact in (
        identity.UserSignedUp,
        identity.UserVerified,
        identity.UserVerificationResent,
        identity.UserRenamed,
        identity_addresses.UserEmailChanged,
        identity_addresses.UserEmailRestored,
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
    reported_by: str | None = None
    """The service client that reported it, if Rolecall did not see it itself."""
    digest: str
    """Of the whole row. A second row with the same id and another digest is an equivocation. It
    is empty where values are erased: it would tell them."""
    erased: tuple[str, ...] = ()
    """The paths of the values that were erased, such as `actor.name` and `after.email`."""

    @property
    def order(self) -> str:
        """The sort key: the time, within a millisecond the position, then the id."""
        return f"{moment_key(self.occurred_at)}.{self.position.seq:010x}.{self.id}"

    @property
    def noun(self) -> str:
        """The first word of the action with its dot (`member.`), or an action without a dot."""
        noun, dot, _ = self.action.partition(".")
        return noun + dot


@dataclass(frozen=True, kw_only=True)
class KnownUser:
    """The name and address of a user, from the newest fact; the user is identified by the id."""

    user_id: str
    name: str
    email: str
    as_of: datetime


class _UserFact(Payload):
    user_id: str
    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The filters of a search (Rp14); `None` does not filter."""

    since: datetime | None = None
    """From this moment on."""
    until: datetime | None = None
    """Before this moment."""
    user: str | None = None
    """The actor's id, or the e-mail address of a user who acted."""
    resource_type: str | None = None
    resource_id: str | None = None
    action: str | None = None
    """A whole action, or a prefix that ends with `.` or `*`; see `action_filter`."""
    outcome: Outcome | None = None
    project: str | None = None
    request_id: str | None = None
    through: str | None = None
    """The API token, the session or the service client by which the actor acted."""
    on_behalf_of: str | None = None
    """The user for whom a service client or a service acted."""
    text: str | None = None
    """Words that the name of the actor or of the resource has, each whole."""

    def given(self) -> dict[str, str]:
        """The filters that are set, as the record of the reading shows them."""
        return {
            name: content_time(value) if isinstance(value, datetime) else str(value)
            for name, value in vars(self).items()
            if value is not None
        }


@dataclass(frozen=True, kw_only=True)
class Span:
    """A part of the log in the order of time: from `first` on, before `end`."""

    first: str = ""
    end: str = "~"
    """Both are an `order` or the beginning of one; these sort before and after all of them."""

    @classmethod
    def of(cls, filters: Filters, *, before: str | None = None) -> Self:
        """Return the span of a search; `before` is the `order` of the last record that was seen."""
        ends = [moment_key(filters.until)] if filters.until else []
        return cls(
            first=moment_key(filters.since) if filters.since else cls.first,
            end=min([*ends, before or cls.end]),
        )


@dataclass(frozen=True, kw_only=True)
class ActionFilter:
    """The actions that a search takes: exactly one, all of a noun, or all with a prefix."""

    exact: str | None = None
    noun: str | None = None
    prefix: str | None = None

    def matches(self, action: str) -> bool:
        """Return whether the search takes this action."""
        if self.exact is not None:
            return action == self.exact
        return action.startswith(self.noun or self.prefix or "")


def action_filter(text: str) -> ActionFilter:
    """Read the filter `action`: `member.removed` is exact, `member.` and `mem*` are prefixes.

    A prefix includes the action that equals it: `member.removed*` finds `member.removed`. A prefix
    that is a noun with its dot has an index of its own.
    """
    if not text.endswith(("*", ".")):
        return ActionFilter(exact=text)
    prefix = text.removesuffix("*")
    if prefix.find(".") == len(prefix) - 1:
        return ActionFilter(noun=prefix)
    return ActionFilter(prefix=prefix)


def record_of(row: Row, *, recorded_at: datetime) -> Record:
    """Make the record of a row: actor, action, resource and outcome, without secrets (Ci14)."""
    reported = reported_of(row)
    event = reported if isinstance(reported, EventReported) else None
    return Record(
        id=row.id,
        account_id=row.account_id,
        account_rev=row.account_rev,
        occurred_at=row.occurred_at if reported is None else reported.occurred_at,
        recorded_at=recorded_at,
        actor=row.actor,
        action=row.action if event is None else event.action,
        resource=row.resource,
        project_id=row.project_id,
        outcome=row.outcome,
        before=without_secrets(row.before),
        after=without_secrets(row.after),
        reason=without_secrets(row.reason),
        request=row.request if event is None else _request_of(row, event),
        position=row.position,
        change_id=row.change_id,
        digest=digest(row),
        reported_by=None if reported is None else reported.reported_by,
    )


def reported_of(row: Row) -> EventReported | UsageRecorded | None:
    """What a service of the platform reported by this row; `None` for other facts, unfit data."""
    if row.source != Service.AUDIT or row.type not in {EventReported.type, UsageRecorded.type}:
        return None
    try:
        reported = payload_of(row)
    except ValueError:
        return None
    return reported if isinstance(reported, EventReported | UsageRecorded) else None


def _request_of(row: Row, event: EventReported) -> RequestInfo:
    """The request that the reporter was sent; not the one that reported it."""
    return RequestInfo(
        request_id=event.request_id or row.request.request_id,
        trace_id=event.trace_id,
        ip=event.ip,
        user_agent=event.user_agent,
    )


def digest(row: Row) -> str:
    """SHA-256 of the row in a canonical form: members sorted, default values left out.

    Defaults are left out because a field that a later version adds must not change old digests.
    `previous` is left out because rows were recorded before they had it.
    """
    content = row.model_dump(mode="json", exclude_defaults=True, exclude={"previous"})
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def known_user_of(row: Row) -> KnownUser | None:
    """The user whose name and address the row carries; `None` for other facts and unfit data."""
    if row.type not in _USER_FACTS:
        return None
    try:
        user = _UserFact.model_validate(row.data)
    except ValueError:
        return None
    return KnownUser(user_id=user.user_id, name=user.name, email=user.email, as_of=row.occurred_at)


def erasure_of(row: Row) -> identity_erasure.UserErased | None:
    """The user whose values are to be erased, if the row tells of one."""
    if row.type != identity_erasure.UserErased.type:
        return None
    try:
        return identity_erasure.UserErased.model_validate(row.data)
    except ValueError:
        return None


def moment_key(moment: datetime) -> str:
    """Milliseconds since 1970 as twelve hexadecimal digits, which sort as the moments do."""
    return f"{max(0, round(moment.timestamp() * 1000)):012x}"
