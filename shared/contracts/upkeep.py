"""The facts of every source about the upkeep of its data by the operators of the platform."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload
from shared.contracts.topology import Service


class DeadFactEnded(Payload):
    """A fact that a service had put aside, because it could not apply it, and what became of it."""

    event_id: str
    fact_type: str
    source: str
    """The service that wrote the fact; the source of this one had put it aside."""
    occurred_at: datetime


class DeadFactReplayed(DeadFactEnded):
    """An operator let a service apply a fact that had failed."""


class DeadFactDropped(DeadFactEnded):
    """An operator dropped a fact that a service could not apply: its effect is lost."""


class JournalRestored(Payload):
    """The database of a service was restored, and its journal began a new epoch.

    What it wrote after the moment of the backup is in the log, and is no longer in force.
    """

    former_epoch: str
    epoch: str
    rows: int
    """The rows of the former epoch that the restored database has."""
    heads: dict[int, int]
    """The last sequence of each shard in it; later rows of that epoch are of a lost history."""


class IdentityFactReplayed(DeadFactReplayed):
    """An operator let identity apply a fact that had failed."""

    type: ClassVar[str] = "identity.dead_fact.replayed.v1"


class IdentityFactDropped(DeadFactDropped):
    """An operator dropped a fact that identity could not apply: its effect is lost."""

    type: ClassVar[str] = "identity.dead_fact.dropped.v1"


class IdentityJournalRestored(JournalRestored):
    """The database of identity was restored, and its journal began a new epoch."""

    type: ClassVar[str] = "identity.journal.restored.v1"


class TeamFactReplayed(DeadFactReplayed):
    """An operator let team apply a fact that had failed."""

    type: ClassVar[str] = "team.dead_fact.replayed.v1"


class TeamFactDropped(DeadFactDropped):
    """An operator dropped a fact that team could not apply: its effect is lost."""

    type: ClassVar[str] = "team.dead_fact.dropped.v1"


class TeamJournalRestored(JournalRestored):
    """The database of team was restored, and its journal began a new epoch."""

    type: ClassVar[str] = "team.journal.restored.v1"


class NotificationFactReplayed(DeadFactReplayed):
    """An operator let notification apply a fact that had failed."""

    type: ClassVar[str] = "notification.dead_fact.replayed.v1"


class NotificationFactDropped(DeadFactDropped):
    """An operator dropped a fact that notification could not apply: its effect is lost."""

    type: ClassVar[str] = "notification.dead_fact.dropped.v1"


class NotificationJournalRestored(JournalRestored):
    """The database of notification was restored, and its journal began a new epoch."""

    type: ClassVar[str] = "notification.journal.restored.v1"


class AuditFactReplayed(DeadFactReplayed):
    """An operator let audit apply a fact that had failed."""

    type: ClassVar[str] = "audit.dead_fact.replayed.v1"


class AuditFactDropped(DeadFactDropped):
    """An operator dropped a fact that audit could not apply: it has no record."""

    type: ClassVar[str] = "audit.dead_fact.dropped.v1"


class AuditJournalRestored(JournalRestored):
    """The database of audit was restored, and its journal began a new epoch."""

    type: ClassVar[str] = "audit.journal.restored.v1"


REPLAYED: dict[str, type[DeadFactReplayed]] = {
    Service.IDENTITY: IdentityFactReplayed,
    Service.TEAM: TeamFactReplayed,
    Service.NOTIFICATION: NotificationFactReplayed,
    Service.AUDIT: AuditFactReplayed,
}
DROPPED: dict[str, type[DeadFactDropped]] = {
    Service.IDENTITY: IdentityFactDropped,
    Service.TEAM: TeamFactDropped,
    Service.NOTIFICATION: NotificationFactDropped,
    Service.AUDIT: AuditFactDropped,
}
RESTORED: dict[str, type[JournalRestored]] = {
    Service.IDENTITY: IdentityJournalRestored,
    Service.TEAM: TeamJournalRestored,
    Service.NOTIFICATION: NotificationJournalRestored,
    Service.AUDIT: AuditJournalRestored,
}


def facts_of(source: str) -> tuple[type[Payload], ...]:
    """The facts of one source."""
    return (REPLAYED[source], DROPPED[source], RESTORED[source])
