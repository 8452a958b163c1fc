"""The facts of audit about how long an account's records are kept."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload


class RetentionChanged(Payload):
    """How long the records of an account's audit log are kept was changed."""

    type: ClassVar[str] = "audit.retention.changed.v1"
    days: int | None
    """`None`: without a limit."""
    previous_days: int | None
    in_force_at: datetime
    """From then on the records that are older may end: later than the change if they end sooner."""
    account_name: str = ""
    manager_emails: tuple[str, ...] = ()


class RecordsEnded(Payload):
    """The oldest records of an audit log reach the end of their retention, and are deleted."""

    type: ClassVar[str] = "audit.records.ended.v1"
    tree: str
    until: int
    """The records with a lower index in the tree; their hashes stay."""
    days: int


FACTS: tuple[type[Payload], ...] = (RetentionChanged, RecordsEnded)
