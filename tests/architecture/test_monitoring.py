"""The rules of Prometheus, the dashboards and the pages of alerts name what the product has."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from deploy.documents import ROOT
from deploy.monitoring.alert_rules import (
    ALERT_FILES,
    RECORDINGS,
    alerts,
    page_of,
    recordings,
    rules_of,
)
from deploy.monitoring.dashboards import dashboards
from tests.architecture.files import nodes

DECLARED = ("shared/metrics.py", "shared/runtime/health.py")
SUFFIXES = {
    "Counter": ("_total",),
    "LoopCounter": ("_total",),
    "LoopHistogram": ("_bucket", "_count", "_sum"),
    "Gauge": ("",),
}
OF_OTHERS = re.compile(r"(?:rabbitmq|node|process)_\w+|up|ALERTS")
"""Metrics of the broker, the machine, the Python process and Prometheus itself."""
NAMES = re.compile(r"\b(?:rolecall_\w+|\w+:rolecall_\w+:\w+|rolecall:\w+:\w+)")
SELECTOR = re.compile(r"\b(rolecall_\w+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
SECTIONS = ["What it means", "What to look at", "What to do", "How it ends"]
ALERTS = ROOT / "docs" / "operations" / "alerts"


@cache
def metrics() -> Mapping[str, set[str]]:
    """Every metric that the product shows, by the names in queries → its labels."""
    found = {}
    for file in DECLARED:
        for node in nodes(ROOT / file):
            match node:
                case ast.Call(
                    func=ast.Name(id=kind),
                    args=[ast.Constant(value=str(name)), _, ast.Tuple(elts=labels)],
                ) if kind in SUFFIXES:
                    own = {str(label.value) for label in labels if isinstance(label, ast.Constant)}
                    for suffix in SUFFIXES[kind]:
                        found[name + suffix] = {*own, *(["le"] if suffix == "_bucket" else [])}
    return found


def queries() -> Iterator[tuple[str, str]]:
    """Every query with the place where it stands."""
    for path in (RECORDINGS, *ALERT_FILES):
        for rule in rules_of(path):
            yield path.name, rule["expr"]
    for dashboard in dashboards():
        for panel in dashboard.panels:
            for line in panel.lines:
                yield f"{dashboard.name}: {panel.title}", line.query


def unknown_names(query: str) -> set[str]:
    return {name for name in NAMES.findall(query) if name not in {*metrics(), *recordings()}}


def unknown_labels(query: str) -> set[str]:
    return {
        f"{name}: {label}"
        for name, selector in SELECTOR.findall(query)
        for label in LABEL.findall(re.sub(r'"[^"]*"', "", selector))
        if label not in metrics().get(name, set())
    }


def test_every_query_names_metrics_and_labels_that_exist():
    faults = {
        place: names
        for place, query in queries()
        if (names := unknown_names(query) | unknown_labels(query))
    }
    assert faults == {}


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("rolecall_inbox_lag_minutes > 1", {"rolecall_inbox_lag_minutes"}),
        ("rolecall_mails_ended > 1", {"rolecall_mails_ended"}),
        ("rolecall:fresh:ratio > 1", {"rolecall:fresh:ratio"}),
        ('rolecall_inbox_dead{queue="a"}', {"rolecall_inbox_dead: queue"}),
        ('rate(rolecall_mails_ended_total{status="sent"}[5m])', set()),
    ],
)
def test_a_query_of_a_metric_that_does_not_exist_is_found(query, faults):
    assert unknown_names(query) | unknown_labels(query) == faults


def test_every_metric_of_the_product_is_on_a_dashboard():
    recorded = recordings()
    shown = " ".join([query for _, query in queries()] + [recorded[name] for name in recorded])
    bases = {re.sub(r"_(?:bucket|count|sum)$", "_bucket", name) for name in metrics()}
    assert [name for name in sorted(bases) if name not in shown] == []


def test_every_alert_has_its_page_and_every_page_its_alert():
    pages = {page_of(alert).as_posix() for alert in alerts().values()}
    found = {path.relative_to(ROOT).as_posix() for path in ALERTS.glob("*.md")}
    assert found - pages == {"docs/operations/alerts/README.md"}
    assert pages - found == set()
    assert len(pages) == len(alerts())


@pytest.mark.parametrize("name", alerts())
def test_a_page_names_its_alert_and_says_what_to_do(name):
    text = (ROOT / page_of(alerts()[name])).read_text()
    title, *_ = text.splitlines()
    assert title == f"# {name}"
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert {word for word in NAMES.findall(text) if unknown_names(word)} == set()


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_how_urgent_it_is_and_what_it_means(name):
    alert = alerts()[name]
    assert name.startswith("Rolecall")
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
