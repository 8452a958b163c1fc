"""Metrics of this process.

There is one registry for each process; the label `service` separates services that share one. Every
metric is declared here. The code that raises a counter calls `start_at_zero` when it is set up:
Prometheus sees the first rise only of a counter that it has seen before.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from shared.loop_metrics import LoopCounter, LoopHistogram

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUESTS = LoopCounter(
    "rolecall_http_requests",
    "Answered requests by route template and status.",
    ("service", "method", "route", "status"),
    registry=REGISTRY,
)
SECONDS = LoopHistogram(
    "rolecall_http_request_seconds",
    "Seconds from the headers of a request to its answer.",
    ("service", "method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
REFUSALS = LoopCounter(
    "rolecall_http_refusals",
    "Refused requests by route template and problem code.",
    ("service", "method", "route", "code"),
    registry=REGISTRY,
)
BARRIER_SECONDS = LoopHistogram(
    "rolecall_barrier_seconds",
    "Seconds from the commit of a change until no replica could decide without it.",
    ("service",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
    registry=REGISTRY,
)
TASK_CRASHES = Counter(
    "rolecall_task_crashes",
    "Failures of background tasks, which were then started again.",
    ("service", "task"),
    registry=REGISTRY,
)
UNSENT_ROWS = Gauge(
    "rolecall_journal_unsent_rows",
    "Journal rows that the last sweep found unsent, up to one batch.",
    ("service",),
    registry=REGISTRY,
)
UNSENT_SECONDS = Gauge(
    "rolecall_journal_unsent_seconds",
    "Age of the oldest journal row that the last sweep found unsent; 0 if there was none.",
    ("service",),
    registry=REGISTRY,
)
JOURNAL_ROWS = Gauge(
    "rolecall_journal_rows",
    "Rows of a shard of the journal that are kept.",
    ("service", "shard"),
    registry=REGISTRY,
)
JOURNAL_AGE = Gauge(
    "rolecall_journal_oldest_seconds",
    "Age of the oldest row of a shard of the journal.",
    ("service", "shard"),
    registry=REGISTRY,
)
JOURNAL_HELD = Gauge(
    "rolecall_journal_held_seconds",
    "Age of the oldest row that is kept beyond the retention because a consumer may need it.",
    ("service", "consumer"),
    registry=REGISTRY,
)
TRIMMED_ROWS = Counter(
    "rolecall_journal_trimmed_rows",
    "Rows of the journal that were deleted because no consumer needs them.",
    ("service",),
    registry=REGISTRY,
)
MISSED_ROWS = Gauge(
    "rolecall_inbox_missed_rows",
    "Rows that a source had deleted before this service could apply them.",
    ("service", "source"),
    registry=REGISTRY,
)
INBOX_LAG = Gauge(
    "rolecall_inbox_lag_seconds",
    "Age of the moment up to which every fact of all sources is known to be applied.",
    ("service",),
    registry=REGISTRY,
)
PUT_ASIDE = Counter(
    "rolecall_inbox_put_aside",
    "Facts that could not be applied and were stored in inbox_dead.",
    ("service", "source"),
    registry=REGISTRY,
)
DEAD_LETTERS = Counter(
    "rolecall_dead_letters",
    "Messages of a queue of the bus that were given up after too many failures.",
    ("queue",),
    registry=REGISTRY,
)
DEAD_FACTS = Gauge(
    "rolecall_inbox_dead",
    "Facts in inbox_dead, which an operator applies again or drops.",
    ("service",),
    registry=REGISTRY,
)
ROWS_REFUSED = Counter(
    "rolecall_rows_refused",
    "Rows of a journal that were dropped because they are not what their source signed.",
    ("service", "source", "channel", "reason"),
    registry=REGISTRY,
)
NOT_ADMITTED = Counter(
    "rolecall_http_not_admitted",
    "Requests refused before they were worked on, by lane and problem code.",
    ("service", "lane", "code"),
    registry=REGISTRY,
)
MAILS_WITHHELD = Counter(
    "rolecall_mails_withheld",
    "Mails that a budget held back; one that waits is counted at each attempt.",
    ("service", "kind", "reason"),
    registry=REGISTRY,
)
MAILS_ENDED = Counter(
    "rolecall_mails_ended",
    "Mails by how they ended: sent, bounced, withdrawn, or withheld by a budget at last.",
    ("service", "status"),
    registry=REGISTRY,
)
MAILS_WAITING = Gauge(
    "rolecall_mails_waiting",
    "Mails that are not ended, up to 10,000, and among them those whose first attempt failed.",
    ("service", "tried"),
    registry=REGISTRY,
)
MAILS_OVERDUE = Gauge(
    "rolecall_mails_overdue_seconds",
    "Seconds for which the longest due mail has waited for a sender; 0 if none is due.",
    ("service",),
    registry=REGISTRY,
)
WEBHOOKS_WAITING = Gauge(
    "rolecall_webhooks_waiting",
    "Deliveries of webhooks that wait, by whether a request was made before.",
    ("service", "tried"),
    registry=REGISTRY,
)
WEBHOOKS_OVERDUE = Gauge(
    "rolecall_webhooks_overdue_seconds",
    "Seconds since the longest waiting delivery of a webhook was due.",
    ("service",),
    registry=REGISTRY,
)
WEBHOOK_ATTEMPTS = Counter(
    "rolecall_webhook_attempts",
    "Requests to receivers of webhooks, by what came of them.",
    ("service", "result"),
    registry=REGISTRY,
)
STREAM_ATTEMPTS = Counter(
    "rolecall_stream_attempts",
    "Batches sent to receivers of streams of the audit log, by what came of them.",
    ("service", "result"),
    registry=REGISTRY,
)
STREAMS_BEHIND = Gauge(
    "rolecall_streams_behind",
    "Streams of the audit log that have records to send, as the elected sender saw last.",
    ("service",),
    registry=REGISTRY,
)
DUE_WORK = Gauge(
    "rolecall_due_work",
    "What was due and failed in the last round.",
    ("service", "work"),
    registry=REGISTRY,
)
INCONSISTENT_TREES = Gauge(
    "rolecall_inconsistent_trees",
    "Trees of the audit log that do not continue their last checkpoint; none is signed for them.",
    ("service",),
    registry=REGISTRY,
)
CHECKPOINT_FILES_UNUSABLE = Gauge(
    "rolecall_checkpoint_files_unusable",
    "Trees of the audit log whose file of checkpoints cannot be read or written; none is signed.",
    ("service",),
    registry=REGISTRY,
)
UNSEALED_RECORDS = Gauge(
    "rolecall_unsealed_records",
    "Records of the audit log that have no leaf a minute after they were recorded, up to 10,000.",
    ("service",),
    registry=REGISTRY,
)
SEAL_AGE = Gauge(
    "rolecall_seal_age_seconds",
    "Age of the first record of a shard that has no leaf; only shards that have one are shown.",
    ("service", "source", "shard"),
    registry=REGISTRY,
)
RECORDS_ENDED = Counter(
    "rolecall_audit_records_ended",
    "Records of the audit log that were deleted because their retention was over.",
    ("service",),
    registry=REGISTRY,
)
RECORDS_ERASED = Counter(
    "rolecall_audit_records_erased",
    "Records of the audit log in which values of erased people were erased.",
    ("service",),
    registry=REGISTRY,
)
FORMER_SEALS = Gauge(
    "rolecall_former_seals",
    "Values in the database that the last look found sealed with a former key, and sealed anew.",
    ("service",),
    registry=REGISTRY,
)
FORMER_KEY_USES = Counter(
    "rolecall_former_key_uses",
    "Accepted uses of a key that is not the first of its setting, by what was made with it.",
    ("service", "use"),
    registry=REGISTRY,
)
CHECKS = LoopCounter(
    "rolecall_checks",
    "Checks answered with a decision.",
    ("decision", "reason"),
    registry=REGISTRY,
)
GROUP_CALLS = Counter(
    "rolecall_group_calls",
    "Requests about accounts of another group of replicas, by whether that group answered.",
    ("group", "result"),
    registry=REGISTRY,
)
KNOWN_GROUPS = Gauge(
    "rolecall_known_groups",
    "The groups of replicas among which this one knows the accounts to be divided.",
    ("service",),
    registry=REGISTRY,
)
CONTENT_TYPE = CONTENT_TYPE_LATEST


def start_at_zero(metric: Counter | Gauge | LoopCounter, *values: Iterable[str | int]) -> None:
    """Show a metric with 0 for each combination of these values of its labels, in their order."""
    for labels in product(*values):
        metric.labels(*labels)


def show_inbox_lag(service: str | None, complete_until: datetime | None, now: datetime) -> None:
    """Show the lag of a service's inbox; `None` is not known yet, and shows nothing."""
    if complete_until is not None:
        INBOX_LAG.labels(service).set((now - complete_until).total_seconds())


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
