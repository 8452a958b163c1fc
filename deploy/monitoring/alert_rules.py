"""The rules of Prometheus in this folder: read, and shown as a table."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).parent / "rules"
RECORDINGS = RULES / "recordings.yml"
ALERT_FILES = sorted(path for path in RULES.glob("*.yml") if path != RECORDINGS)


@cache
def rules_of(path: Path) -> tuple[Mapping[str, Any], ...]:
    """The rules of one file."""
    groups = yaml.safe_load(path.read_text())["groups"]
    return tuple(rule for group in groups for rule in group["rules"])


def alerts_of(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """The alerts of one file by name."""
    return {rule["alert"]: rule for rule in rules_of(path) if "alert" in rule}


def alerts() -> Mapping[str, Mapping[str, Any]]:
    """All alerts by name."""
    return {name: rule for path in ALERT_FILES for name, rule in alerts_of(path).items()}


def recordings() -> Mapping[str, str]:
    """The recorded figures: name → expression."""
    return {rule["record"]: rule["expr"] for rule in rules_of(RECORDINGS)}


def page_of(alert: Mapping[str, Any]) -> Path:
    """The page of an alert, from the root of the project."""
    return Path(alert["annotations"]["runbook_url"])


def alert_rows() -> list[tuple[str, str, str, str]]:
    """Each alert with its page, its severity, how long it must last, and its description."""
    return [
        (
            f"[{name}]({page_of(alert).name})",
            alert["labels"]["severity"],
            alert.get("for", "at once"),
            alert["annotations"]["description"],
        )
        for name, alert in alerts().items()
    ]
