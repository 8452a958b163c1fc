"""Facts, their actors, and their form on the bus.

A **fact** says in the past tense what one service decided. It becomes a **row** of that service's
journal in the transaction that changed the state. The row is change log, outbox and audit record in
one. On the bus a row is a CloudEvents 1.0 JSON event.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field

from shared.contracts.policy_objects import Contract, PolicyObject
from shared.ids import new_id

SHARDS = 64
"""The number of shards of each journal. A shard is ordered and gapless; shards are independent."""
GENESIS = "0" * 64
"""The `previous` of the first row of a shard."""
USER_ID = "usr_"
"""How the id of each user begins."""
MAX_ROW_BYTES = 128 * 1024
"""Of one row as JSON: a row carries the whole state of an object, so the state must stay small."""


class Outcome(StrEnum):
    """The outcome of the action, as the audit log shows it."""

    SUCCEEDED = "succeeded"
    DENIED = "denied"
    FAILED = "failed"


class Actor(Contract):
    """Who acted. It comes from a verified context only.

    A service of the platform reports the actors of its own actions in a body. That fact names the
    service client that reported it.
    """

    type: Literal["user", "service_client", "service", "anonymous", "operator"]
    id: str
    name: str | None = None
    email: str | None = None
    session_id: str | None = None
    token_id: str | None = None
    """The API token by which the user acted."""
    on_behalf_of: str | None = None
    via: str | None = None
    """The service client through which the user acted."""

    @property
    def user_id(self) -> str | None:
        """The acting user, also when a service or a service client acted for them.

        Services of earlier versions acted on behalf of clients, operators and other services, too.
        """
        if self.type == "user":
            return self.id
        return self.on_behalf_of if (self.on_behalf_of or "").startswith(USER_ID) else None


class RequestInfo(Contract):
    """The request through which the actor acted."""

    request_id: str
    trace_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None


NO_REQUEST = RequestInfo(request_id="")
"""Of a fact that no single request made, such as a count of many; it is shown as null."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who acts, and the request; each write of a journal takes one."""

    actor: Actor
    request: RequestInfo


def service_caller(service: str) -> Caller:
    """A service that acts by itself, for example at its start, with a request id of its own."""
    return Caller(
        actor=Actor(type="service", id=service), request=RequestInfo(request_id=new_id("req"))
    )


class ResourceRef(Contract):
    """The resource that a fact is about."""

    type: str
    id: str
    name: str | None = None


class Payload(Contract):
    """The data of a fact; each type has a class in `shared/contracts/<source>.py`.

    A field may be added with a default. Renaming or removing one, or changing its meaning, needs a
    new major version in `type`.
    """

    type: ClassVar[str]
    """The routing key, `<source>.<noun>.<past-verb>.v<major>`."""


Translations = Mapping[str, Mapping[str, str]]
"""Language → member of the data → its text in that language, for what a catalog has named."""
NO_TRANSLATIONS: Translations = {}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One decided change, as the domain returns it; it has no sequence yet.

    `policy_objects` are the new states of the objects that the change touches and authz decides
    from. The audit log shows `before` and `after`; they hold no secret. Moments in them are written
    as `content_time` does.
    """

    payload: Payload
    resource: ResourceRef
    account_id: str | None = None
    account_rev: int | None = None
    project_id: str | None = None
    outcome: Outcome = Outcome.SUCCEEDED
    reason: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    policy_objects: tuple[PolicyObject, ...] = ()
    actor: Actor | None = None
    """Who acted, if that is not the caller of the write: another service reports what it saw."""

    def __post_init__(self) -> None:
        """Write the moments of what the audit log shows in the one form."""
        for name in ("before", "after"):
            object.__setattr__(self, name, _with_times(getattr(self, name)))


class Position(NamedTuple):
    """The position of a row. It is unique at all times: an epoch is never used twice."""

    source: str
    epoch: str
    shard: int
    seq: int


class JournalHeads(NamedTuple):
    """The last committed row of each shard that has any: its sequence and its digest.

    The rows of a shard up to that in `trimmed` are deleted, as the source has signed.
    """

    epoch: str
    seqs: dict[int, int]
    digests: dict[int, str]
    trimmed: Mapping[int, int] = MappingProxyType({})
    trimmed_signatures: Mapping[int, str] = MappingProxyType({})


class Row(Contract):
    """A committed row of a journal: fact, position, actor and request."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: str
    type: str
    source: str
    epoch: str
    shard: int
    seq: int
    previous: str
    """The digest of the row before it in its shard; `GENESIS` in the first row."""
    change_id: str
    part: int
    parts: int
    occurred_at: datetime
    account_id: str | None = None
    account_rev: int | None = None
    project_id: str | None = None
    resource: ResourceRef
    actor: Actor
    request: RequestInfo
    outcome: Outcome = Outcome.SUCCEEDED
    reason: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    data: dict[str, Any]
    policy_objects: tuple[PolicyObject, ...] = Field(default=(), alias="things")
    """Called `things` on the wire and in stored rows."""

    @property
    def position(self) -> Position:
        """Source, epoch, shard and sequence."""
        return Position(self.source, self.epoch, self.shard, self.seq)

    @property
    def action(self) -> str:
        """The name in the audit log: the type without source and version (`member.removed`)."""
        return self.type.split(".", 1)[1].rsplit(".v", 1)[0]

    def to_event(self) -> bytes:
        """Write the row as a CloudEvents 1.0 event (JSON, structured mode)."""
        content = self.model_dump(mode="json", by_alias=True, exclude={"id", "type", "occurred_at"})
        event = {
            "specversion": "1.0",
            "id": self.id,
            "source": f"/rolecall/{self.source}",
            "type": self.type,
            "subject": self.resource.id,
            "time": content_time(self.occurred_at),
            "datacontenttype": "application/json",
            "data": content,
        }
        return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_event(cls, body: bytes) -> "Row":
        """Read an event that `to_event` wrote.

        Raises:
            ValueError: the body is not such an event; pydantic's errors are ValueErrors.
        """
        event = json.loads(body)
        if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
            raise ValueError("not a CloudEvents object with data")
        return cls.model_validate(
            event["data"]
            | {"id": event.get("id"), "type": event.get("type"), "occurred_at": event.get("time")}
        )


def row_digest(event: bytes) -> str:
    """The digest of a row: SHA-256 over the exact bytes of its event, hexadecimal."""
    return hashlib.sha256(event).hexdigest()


def content_time(moment: datetime) -> str:
    """Write a moment in RFC 3339: UTC with milliseconds and `Z`.

    One that lies before the first or after the last year in UTC is written a few hours off.
    """
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        in_utc = moment.replace(tzinfo=UTC)
    return in_utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _with_times(shown: Any) -> Any:
    if isinstance(shown, datetime):
        return content_time(shown)
    if isinstance(shown, Mapping):
        return {name: _with_times(value) for name, value in shown.items()}
    if isinstance(shown, (list, tuple)):
        return [_with_times(value) for value in shown]
    return shown


def shard_of(key: str) -> int:
    """The shard of an account's id, or of a user's id outside of any account."""
    return zlib.crc32(key.encode()) % SHARDS


def format_revision(position: Position) -> str:
    """The opaque string that callers carry (`Rolecall-Revision`, `at_least_revision`)."""
    return f"{position.source}.{position.epoch}.{position.shard}.{position.seq}"


def parse_revision(text: str) -> Position:
    """Read a revision.

    Raises:
        ValueError: the text is not a revision.
    """
    source, epoch, shard, seq = text.split(".")
    position = Position(source, epoch, int(shard), int(seq))
    if not 0 <= position.shard < SHARDS or position.seq < 1 or format_revision(position) != text:
        raise ValueError("not a revision")
    return position
