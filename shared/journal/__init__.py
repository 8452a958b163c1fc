"""The journal of a source: state and facts, saved together.

`Journal.write` is the only way to change a service's data: one transaction changes the state, takes
the next sequence of its shard and inserts one row per fact. A row is change log, outbox and audit
record in one.
"""

from shared.journal.adoption import Adopt, Adoption
from shared.journal.dry_runs import DryRun
from shared.journal.history import HISTORY, History, ObjectName
from shared.journal.journal import Journal
from shared.journal.part_writes import PartsOfWrite
from shared.journal.past_names import PAST_NAMES
from shared.journal.restores import KEPT, Restores, begin_epoch
from shared.journal.routes import journal_routes
from shared.journal.rows import EARLIER_INDEXES, INDEXES
from shared.journal.signing_step import signing_step
from shared.journal.snapshot import Snapshot
from shared.journal.writes import Guard, JournalWrite, JournalWriter, WriteResult

__all__ = [
    "EARLIER_INDEXES",
    "HISTORY",
    "INDEXES",
    "KEPT",
    "PAST_NAMES",
    "Adopt",
    "Adoption",
    "DryRun",
    "Guard",
    "History",
    "Journal",
    "JournalWrite",
    "JournalWriter",
    "ObjectName",
    "PartsOfWrite",
    "Restores",
    "Snapshot",
    "WriteResult",
    "begin_epoch",
    "journal_routes",
    "signing_step",
]
