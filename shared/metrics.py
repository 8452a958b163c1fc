"""What can be counted about this process?

One registry a process: services that share one are told apart by the label `service`. Whoever has
more to count makes a collector with `registry=REGISTRY` beside the code that counts.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUESTS = Counter(
    "rolecall_http_requests",
    "Requests answered, by route template and status.",
    ("service", "method", "route", "status"),
    registry=REGISTRY,
)
SECONDS = Histogram(
    "rolecall_http_request_seconds",
    "Time from the request's headers to its answer.",
    ("service", "method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
TASK_CRASHES = Counter(
    "rolecall_task_crashes",
    "Background tasks that failed and were started again.",
    ("service", "task"),
    registry=REGISTRY,
)
UNSENT_ROWS = Gauge(
    "rolecall_journal_unsent_rows",
    "Rows that the last sweep found waiting for the bus; the sweeper's batch at most.",
    ("service",),
    registry=REGISTRY,
)
PUT_ASIDE = Counter(
    "rolecall_inbox_put_aside",
    "Facts that could not be applied and were put into inbox_dead.",
    ("service", "source"),
    registry=REGISTRY,
)
CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition() -> bytes:
    """Everything counted so far, in Prometheus' text format."""
    return generate_latest(REGISTRY)
