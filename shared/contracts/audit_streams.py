"""The facts of audit about streams: the receivers to which an account's records are sent."""

from typing import ClassVar

from shared.contracts.facts import Payload


class _LogStream(Payload):
    stream_id: str
    host: str
    """Of its address; the rest may hold a secret of the receiver."""


class LogStreamCreated(_LogStream):
    """A stream was created: the records of the account are sent to its address."""

    type: ClassVar[str] = "audit.log_stream.created.v1"
    begins: str
    """`now`, or `beginning`: with the oldest record that is kept."""


class LogStreamChanged(_LogStream):
    """The address, secret, name, state or place of a stream changed."""

    type: ClassVar[str] = "audit.log_stream.changed.v1"
    enabled: bool
    changed: tuple[str, ...]
    """The names of the members that changed."""
    begins: str | None = None
    """Where it goes on, if that was chosen: `now` or `beginning`."""


class LogStreamTested(_LogStream):
    """A test was ordered: a batch without a record is sent to the address."""

    type: ClassVar[str] = "audit.log_stream.tested.v1"


class LogStreamPaused(_LogStream):
    """The platform paused a stream: its receiver is gone or failed, or its account has changed."""

    type: ClassVar[str] = "audit.log_stream.paused.v1"
    because: str
    """`gone` (410), `failing`, `set-back` (its place is not in the log any more), or `reverted`
    (the team became a personal account)."""
    name: str = ""
    account_name: str = ""
    manager_emails: tuple[str, ...] = ()


class LogStreamDeleted(_LogStream):
    """A stream was deleted: nothing is sent to its address any more."""

    type: ClassVar[str] = "audit.log_stream.deleted.v1"


FACTS: tuple[type[Payload], ...] = (
    LogStreamCreated,
    LogStreamChanged,
    LogStreamTested,
    LogStreamPaused,
    LogStreamDeleted,
)
