"""What the use cases of audit work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from services.audit.domain.checkpoints import CheckpointSigner
from services.audit.domain.exports import Places
from services.audit.store import Store
from services.audit.use_cases.ingest import Ingest
from shared.clock import Clock
from shared.http.checker import Checker
from shared.http.client import InternalClient
from shared.journal import Journal


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """What the use cases work with."""

    store: Store
    signer: CheckpointSigner
    ingest: Ingest
    journal: Journal
    internal: InternalClient
    clock: Clock
    complete_until: Callable[[], datetime | None]
    checker: Checker
    """Decides again, while an answer is written for long, whether its reader may read."""
    exports: Places = field(default_factory=Places)
    recorded_readings: dict[tuple[str, str], int] = field(default_factory=dict)
    """(account, reader) → the last minute in which this process recorded that they read."""
