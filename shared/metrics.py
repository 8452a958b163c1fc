"""Metrics of this process.

There is one registry for each process; the label `service` separates services that share one. A
module with a metric of its own makes the collector beside its code with `registry=REGISTRY`.
"""

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
CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
