"""The receipt of a change: when and how each replica got it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.leases.barrier import Settled

RECEIPT_RETENTION = timedelta(days=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """When a change became effective everywhere.

    `effective_at` is `None` while a replica may still answer without the change. Each entry of
    `replicas` says how many milliseconds after the commit the replica had the change, or could no
    longer answer.
    """

    revision: str
    effective_at: datetime | None = None
    replicas: tuple[Settled, ...] = ()

    @property
    def effective(self) -> bool:
        """Whether no replica can answer without the change."""
        return self.effective_at is not None

    @property
    def slowest_ms(self) -> float:
        """Milliseconds until the last replica; 0 when there was none to wait for."""
        return max((replica.at_ms for replica in self.replicas), default=0.0)
