"""Mutants of the rules of Prometheus: an alert that comes late, never, or without a fault."""

from tests.mutants.mutant import Kind, Mutant

RULES = "deploy/monitoring/rules"
ALERTS = ("tests/deploy/monitoring/test_alert_rules.py",)

ROWS = (
    Mutant(
        id="alert-stale-checks-of-every-service",
        kind=Kind.DATA,
        file=f"{RULES}/recordings.yml",
        old='{service="authz", code="stale"}',
        new='{code="stale"}',
        tests=(*ALERTS, "-k", "decisions"),
    ),
    Mutant(
        id="alert-mails-not-sent-counts-all-ends",
        kind=Kind.DATA,
        file=f"{RULES}/mails.yml",
        old='rolecall_mails_ended_total{status="sent"}[15m])) == 0',
        new='rolecall_mails_ended_total{status="sent"}[15m])) > 0',
        tests=(*ALERTS, "-k", "mails"),
    ),
    Mutant(
        id="alert-facts-late-at-once",
        kind=Kind.LIMIT,
        file=f"{RULES}/journals.yml",
        old="rolecall_inbox_lag_seconds > 60\n        for: 2m",
        new="rolecall_inbox_lag_seconds > 60\n        for: 0m",
        tests=(*ALERTS, "-k", "journals"),
    ),
    Mutant(
        id="alert-unsealed-records-never",
        kind=Kind.LIMIT,
        file=f"{RULES}/audit.yml",
        old="(rolecall_unsealed_records) > 0",
        new="(rolecall_unsealed_records) > 10000",
        tests=(*ALERTS, "-k", "audit"),
    ),
    Mutant(
        id="trace-of-a-message-is-lost",
        kind=Kind.DATA,
        file="shared/bus/rabbitmq_publisher.py",
        old='{"traceparent": message.traceparent} if message.traceparent else {}',
        new="{}",
        tests=("tests/shared/bus/test_contract.py", "-k", "arrives_whole"),
    ),
    Mutant(
        id="trace-of-a-row-is-that-of-the-relay",
        kind=Kind.DATA,
        file="shared/journal/relay.py",
        old="        traceparent = context.traceparent.get()\n",
        new="        traceparent = None\n",
        tests=("tests/shared/journal/test_relay.py", "-k", "published_together"),
    ),
    Mutant(
        id="trace-of-a-block-stays",
        kind=Kind.DATA,
        file="shared/tracing.py",
        old="        context.traceparent.reset(token)\n",
        new="",
        tests=("tests/shared/test_tracing.py",),
    ),
    Mutant(
        id="trace-that-a-sender-asks-for",
        kind=Kind.SECURITY,
        file="shared/http/requests.py",
        old="return sent if between_services else tracing.of_stranger(sent)",
        new="return sent",
        tests=("tests/shared/http/test_request_spans.py",),
    ),
    Mutant(
        id="trace-chosen-by-its-id",
        kind=Kind.SECURITY,
        file="shared/trace_export.py",
        old="sampler=ParentBased(TraceIdRatioBased(ratio)),",
        new="sampler=TraceIdRatioBased(ratio),",
        tests=("tests/shared/test_tracing.py",),
    ),
    Mutant(
        id="dead-letters-are-not-counted",
        kind=Kind.DATA,
        file="shared/bus/delivery.py",
        old="        metrics.DEAD_LETTERS.labels(self._name).inc()\n",
        new="",
        tests=("tests/shared/bus/test_contract.py", "-k", "poison"),
    ),
)
