"""What can be shown of a change's way to the replicas?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.leases.barrier import Settled

KEPT = timedelta(days=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """Where a change is in force.

    `effective_at` is `None` while some replica may still answer from before the change. Each of
    `replicas` says in how many milliseconds after the commit it had the change, or could no longer
    answer.
    """

    revision: str
    effective_at: datetime | None = None
    replicas: tuple[Settled, ...] = ()

    @property
    def effective(self) -> bool:
        """No replica can answer from before the change any more."""
        return self.effective_at is not None

    @property
    def slowest_ms(self) -> float:
        """The last replica's time; 0 when there was none to wait for."""
        return max((replica.at_ms for replica in self.replicas), default=0.0)
