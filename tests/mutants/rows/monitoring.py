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
        id="dead-letters-are-not-counted",
        kind=Kind.DATA,
        file="shared/bus/delivery.py",
        old="        metrics.DEAD_LETTERS.labels(self._name).inc()\n",
        new="",
        tests=("tests/shared/bus/test_contract.py", "-k", "poison"),
    ),
)
