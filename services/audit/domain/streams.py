"""Streams: the receivers to which the records of an account are sent, in the order of its tree.

The place of a stream moves only after a receiver has taken a batch. So each record comes at least
once, and none comes before those that were sealed before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from services.audit.domain.tails import TailPlace
from shared.contracts import audit_streams as facts
from shared.contracts.facts import Fact, Payload, ResourceRef
from shared.ids import AccountId, StreamId, UserId
from shared.problems import Refusal, RefusalKind

MAX_STREAMS = 5
"""Of an account."""
_OWN_HEADERS = re.compile(
    r"(accept|connection|content|cookie|date|expect|forwarded|host|keep-alive|proxy|rolecall|te"
    r"|trailer|transfer|upgrade|user-agent|via|x-forwarded)(-.*)?",
    re.IGNORECASE,
)


class PausedBecause(StrEnum):
    """Why a stream sends nothing."""

    MEMBER = "member"
    """A member paused it."""
    GONE = "gone"
    """The receiver answered 410."""
    FAILING = "failing"
    """The receiver failed for days."""
    SET_BACK = "set-back"
    """Its place is not in the log any more: the log was set back or replaced."""
    REVERTED = "reverted"
    """The team became a personal account, and others than its owner had set the address."""


class StreamStart(StrEnum):
    """Where a stream begins or goes on."""

    NOW = "now"
    BEGINNING = "beginning"
    """With the oldest record that is kept."""


class TooManyStreams(Refusal):
    """The account has as many streams as it may have."""

    kind = RefusalKind.CONFLICT
    code = "too-many-streams"
    detail = "An account has {limit} streams at most. Delete one that you do not need."


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTrial:
    """What came of the last test."""

    at: datetime
    milliseconds: int
    status: int | None
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class LogStream:
    """A stream: its receiver, its place in the log, and how its receiver answers."""

    id: StreamId
    account_id: AccountId
    name: str
    url: str
    header: str
    """The header in which the receiver is sent its secret."""
    sealed_secret: bytes
    secret_at: datetime
    created_by: UserId
    created_at: datetime
    size: int
    """The records of the log that the receiver has."""
    last: str = ""
    """The id of the last of them, if it is known."""
    paused: PausedBecause | None = None
    tries: int = 0
    """The attempts since the last one that succeeded."""
    due_at: datetime | None = None
    """When it is tried again."""
    failing_since: datetime | None = None
    problem: str | None = None
    """What was wrong with the last attempt, in words."""
    sent_at: datetime | None = None
    """When the receiver took a batch last."""
    test_due: bool = False
    tested: StreamTrial | None = None
    changes: int = 0
    """Counts the changes by members; a write names the one that it read."""

    @property
    def enabled(self) -> bool:
        """Whether records are sent."""
        return self.paused is None

    @property
    def open(self) -> bool:
        """Whether the sender has to look at it."""
        return self.enabled or self.test_due

    @property
    def host(self) -> str:
        """The host of the address."""
        return urlsplit(self.url).hostname or ""

    @property
    def place(self) -> TailPlace:
        """Its place in the log."""
        return TailPlace(self.size, self.last)

    def is_due(self, sealed: int, *, now: datetime) -> bool:
        """Return whether there is something to send now; `sealed` is the size of the log."""
        if self.test_due:
            return True
        waits = self.due_at is not None and now < self.due_at
        # A log that is shorter was set back, which the sender has to find out as well.
        return self.enabled and not waits and sealed != self.size

    def shown(self) -> dict[str, Any]:
        """Return the stream as an audit record compares it, without what may be secret."""
        return {
            "name": self.name,
            "host": self.host,
            "header": self.header,
            "enabled": self.enabled,
        }


@dataclass(frozen=True, kw_only=True)
class StreamChange:
    """What a member changes; what is None stays. `sealed_secret` is a new one."""

    name: str | None = None
    url: str | None = None
    header: str | None = None
    sealed_secret: bytes | None = None
    enabled: bool | None = None


def check_header(name: str) -> None:
    """Refuse a header that a request has anyway, or that leads it elsewhere.

    Raises:
        ValueError: the message says what is wrong and what to do.
    """
    if _OWN_HEADERS.fullmatch(name):
        raise ValueError(
            f"`{name}` is set by the sender. Choose the header in which the receiver expects its"
            " secret, such as `Authorization`."
        )


def created(stream: LogStream, begins: StreamStart) -> Fact:
    """Record that a stream was created."""
    payload = facts.LogStreamCreated(**_names(stream), begins=begins.value)
    return _fact(stream, payload, after=stream.shown())


def changed(
    stream: LogStream,
    wanted: StreamChange,
    *,
    start: tuple[StreamStart, TailPlace] | None,
    now: datetime,
) -> tuple[LogStream, Fact | None]:
    """Change a stream; without a fact if it is as wanted already.

    `start` is where it goes on, if that was chosen. What is changed is tried at once.
    """
    after = replace(
        stream,
        name=stream.name if wanted.name is None else wanted.name,
        url=wanted.url or stream.url,
        header=wanted.header or stream.header,
    )
    if wanted.sealed_secret is not None:
        after = replace(after, sealed_secret=wanted.sealed_secret, secret_at=now)
    if wanted.enabled is not None and wanted.enabled != stream.enabled:
        after = replace(after, paused=None if wanted.enabled else PausedBecause.MEMBER)
    if start is not None:
        place = start[1]
        after = replace(after, size=place.size, last=place.last)
    if after == stream:
        return stream, None
    after = as_new(replace(after, changes=stream.changes + 1))
    payload = facts.LogStreamChanged(
        **_names(after),
        enabled=after.enabled,
        changed=_differences(stream, after),
        begins=None if start is None else start[0].value,
    )
    return after, _fact(after, payload, before=stream.shown(), after=after.shown())


def _differences(before: LogStream, after: LogStream) -> tuple[str, ...]:
    shown = {
        "name": "name",
        "url": "url",
        "header": "header",
        "sealed_secret": "secret",
        "enabled": "enabled",
        "place": "start",
    }
    return tuple(
        told for name, told in shown.items() if getattr(before, name) != getattr(after, name)
    )


def paused(
    stream: LogStream,
    because: PausedBecause,
    *,
    account_name: str = "",
    manager_emails: Sequence[str] = (),
) -> tuple[LogStream, Fact]:
    """Pause a stream for the platform; a mail tells those of these addresses."""
    after = replace(stream, paused=because, changes=stream.changes + 1)
    payload = facts.LogStreamPaused(
        **_names(stream),
        because=because.value,
        name=stream.name,
        account_name=account_name,
        manager_emails=tuple(manager_emails),
    )
    return after, _fact(
        stream, payload, before={"enabled": True}, after={"enabled": False}, reason=because.value
    )


def order_test(stream: LogStream) -> tuple[LogStream, Fact | None]:
    """Order a test, unless one is due already."""
    if stream.test_due:
        return stream, None
    payload = facts.LogStreamTested(**_names(stream))
    return replace(stream, test_due=True), _fact(stream, payload)


def deleted(stream: LogStream) -> Fact:
    """Record that a stream was deleted."""
    return _fact(stream, facts.LogStreamDeleted(**_names(stream)), before=stream.shown())


def as_new(stream: LogStream) -> LogStream:
    """The stream as one whose receiver has not failed."""
    return replace(stream, tries=0, due_at=None, failing_since=None, problem=None)


def _names(stream: LogStream) -> dict[str, Any]:
    return {"stream_id": stream.id, "host": stream.host}


def _fact(stream: LogStream, payload: Payload, **shown: Any) -> Fact:
    resource = ResourceRef(type="log_stream", id=stream.id, name=stream.name or stream.host)
    return Fact(payload=payload, resource=resource, account_id=stream.account_id, **shown)
