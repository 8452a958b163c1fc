"""What the use cases of audit work with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner
from services.audit.domain.exports import Places
from services.audit.domain.report_budget import ReportBudget
from services.audit.domain.retention import Retention
from services.audit.store import Store
from services.audit.use_cases.ingest import Ingest
from services.audit.use_cases.tail_readers import TailReaders
from services.audit.use_cases.usage_ledger import UsageLedger
from shared.clock import Clock
from shared.http.checker import LiveChecker
from shared.http.client import InternalClient
from shared.journal import Journal
from shared.networks import Network
from shared.receivers.posts import ReceiverPosts
from shared.sealed_secrets import SealedSecrets
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts


class RecordedRows(Protocol):
    """What the inbox knows of the rows that are recorded."""

    def applied(self) -> Mapping[str, tuple[str, Mapping[int, int]]]:
        """How far each source is recorded without a gap: its epoch, and the row of each shard.

        All that happened before `complete_until` is recorded so far.
        """
        ...

    def compare_soon(self) -> None:
        """Compare with the sources soon, so that what is recorded is known to be whole."""
        ...


@dataclass(frozen=True, kw_only=True)
class StreamParts:
    """What streams are sent with."""

    posts: ReceiverPosts
    secrets: SealedSecrets
    networks: Sequence[Network] = ()
    """The networks besides the internet to which streams may lead."""


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """What the use cases work with."""

    store: Store
    signer: CheckpointSigner
    ingest: Ingest
    usage: UsageLedger
    journal: Journal
    internal: InternalClient
    clock: Clock
    complete_until: Callable[[], datetime | None]
    inbox: Callable[[], RecordedRows]
    checker: LiveChecker
    """Decides again, while an answer is written for long, whether its reader may read."""
    streams: StreamParts
    files: CheckpointFiles = field(default_factory=lambda: CheckpointFiles(None))
    platform_retention: Retention = field(default_factory=lambda: Retention(days=None))
    """How long records are kept where an account has not chosen."""
    exports: Places = field(default_factory=Places)
    tails: TailReaders = field(default_factory=TailReaders)
    report_budget: ReportBudget = field(default_factory=ReportBudget)
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    recorded_readings: dict[tuple[str, str], int] = field(default_factory=dict)
    """(account, reader) → the last minute in which this process recorded that they read."""
