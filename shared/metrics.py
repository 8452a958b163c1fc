"""Metrics of this process.

There is one registry for each process; the label `service` separates services that share one. Every
metric is declared here. The code that raises a counter calls `start_at_zero` when it is set up:
Prometheus sees the first rise only of a counter that it has seen before.
"""

from collections.abc import Iterable
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUESTS = Counter(
    "rolecall_http_requests",
    "Answered requests by route template and status.",
    ("service", "method", "route", "status"),
    registry=REGISTRY,
)
SECONDS = Histogram(
    "rolecall_http_request_seconds",
    "Seconds from the headers of a request to its answer.",
    ("service", "method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
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
PUT_ASIDE = Counter(
    "rolecall_inbox_put_aside",
    "Facts that could not be applied and were stored in inbox_dead.",
    ("service", "source"),
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
DUE_ACCOUNTS = Gauge(
    "rolecall_due_accounts",
    "Accounts in which the last round could not do what was due.",
    ("service", "work"),
    registry=REGISTRY,
)
CHECKS = Counter(
    "rolecall_checks",
    "Checks answered with a decision.",
    ("decision", "reason"),
    registry=REGISTRY,
)
CONTENT_TYPE = CONTENT_TYPE_LATEST


def start_at_zero(metric: Counter | Gauge, *values: Iterable[str | int]) -> None:
    """Show a metric with 0 for each combination of these values of its labels, in their order."""
    for labels in product(*values):
        metric.labels(*labels)


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
