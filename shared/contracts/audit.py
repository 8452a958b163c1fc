"""The facts of audit."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload


class SearchPerformed(Payload):
    """A user read an account's audit log; recorded at most once per reader, account and minute."""

    type: ClassVar[str] = "audit.search.performed.v1"
    reader_id: str


class ExportStarted(Payload):
    """A user exported an account's audit log; `kind` is the format. Every export is recorded."""

    type: ClassVar[str] = "audit.export.started.v1"
    reader_id: str
    kind: str


class AccessDenied(Payload):
    """A member was denied something, as often as `number` says, within a minute.

    The first record of a minute comes at once; a second one has the rest of the minute.
    """

    type: ClassVar[str] = "audit.access.denied.v1"
    user_id: str
    permission: str
    resource_id: str | None
    number: int
    first: datetime
    last: datetime


class DenialsNotDetailed(Payload):
    """Members were denied more than is recorded one by one; `account_id` is `None` for several."""

    type: ClassVar[str] = "audit.access.denials_not_detailed.v1"
    account_id: str | None
    number: int
    first: datetime
    last: datetime


class AccessAllowed(Payload):
    """A member was allowed something; `number` such checks of a minute were drawn, one of `one_of`.

    The first record of a minute comes at once; a second one has the rest of the minute.
    """

    type: ClassVar[str] = "audit.access.allowed.v1"
    user_id: str
    permission: str
    resource_id: str | None
    number: int
    one_of: int
    first: datetime
    last: datetime


class AllowsNotDetailed(Payload):
    """More allows were drawn than are recorded one by one; `account_id` is `None` for several."""

    type: ClassVar[str] = "audit.access.allows_not_detailed.v1"
    account_id: str | None
    number: int
    first: datetime
    last: datetime


class EventReported(Payload):
    """A service of the platform did something, and reported it by a service client."""

    type: ClassVar[str] = "audit.event.reported.v1"
    event_id: str
    """The id that the reporter gave."""
    reported_by: str
    action: str
    occurred_at: datetime
    request_id: str | None = None
    """Of the request that the reporter was sent; so are the next three."""
    trace_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None


class UsageRecorded(Payload):
    """A service of the platform metered what a member used of a resource."""

    type: ClassVar[str] = "audit.usage.recorded.v1"
    usage_id: str
    """The id that the reporter gave."""
    reported_by: str
    user_id: str
    resource_type: str
    resource_id: str
    project_id: str | None
    quantity: str
    """A decimal number, as are all amounts."""
    unit: str
    cost: str | None
    currency: str | None
    occurred_at: datetime


class CheckpointDeliveryChanged(Payload):
    """A member began or ended the daily delivery of the checkpoints of an account's log."""

    type: ClassVar[str] = "audit.checkpoint_delivery.changed.v1"
    daily: bool


class CheckpointPublished(Payload):
    """The newest checkpoint of the audit log, once a day, for those who keep it elsewhere."""

    type: ClassVar[str] = "audit.checkpoint.published.v1"
    account_name: str
    origin: str
    size: int
    checkpoint: str
    """The signed note."""
    verifier: str
    """The key that has signed it; compare it with the one that you trust."""
    manager_emails: tuple[str, ...] = ()


class RestoreAccepted(Payload):
    """An operator accepts that the log goes on from a restored state; later checkpoints say so."""

    type: ClassVar[str] = "audit.restore.accepted.v1"
    tree: str
    size: int
    """Of the last checkpoint before the restore; what it has sealed behind the restored state is
    sealed again."""


FACTS: tuple[type[Payload], ...] = (
    SearchPerformed,
    ExportStarted,
    AccessDenied,
    DenialsNotDetailed,
    AccessAllowed,
    AllowsNotDetailed,
    EventReported,
    UsageRecorded,
    CheckpointDeliveryChanged,
    CheckpointPublished,
    RestoreAccepted,
)
