"""The dashboards of Grafana, written from the table in `panels.yml`."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

PANELS = Path(__file__).parent / "panels.yml"
FOLDER = Path(__file__).parent / "dashboards"
SCHEMA_VERSION = 39
WIDTH, HEIGHT = 12, 8
"""The size of a panel in units of Grafana's grid, which is 24 wide."""
SOURCE: Mapping[str, str] = {"type": "prometheus", "uid": "${source}"}


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Row):
    """A query, and the name of its lines by their labels."""

    name: str
    query: str


class Panel(_Row):
    """One graph."""

    title: str
    unit: str
    description: str
    lines: tuple[Line, ...]


class Dashboard(_Row):
    """The panels of one page, two in a row; `name` is the name of its file."""

    name: str
    title: str
    panels: tuple[Panel, ...]


@cache
def dashboards() -> Sequence[Dashboard]:
    """The table of all dashboards."""
    return TypeAdapter(tuple[Dashboard, ...]).validate_python(
        tuple(yaml.safe_load(PANELS.read_text()))
    )


def dashboard_files() -> dict[Path, str]:
    """Every dashboard: file → text."""
    return {
        FOLDER / f"{each.name}.json": json.dumps(_shown(each), indent=1) + "\n"
        for each in dashboards()
    }


def _shown(dashboard: Dashboard) -> Mapping[str, Any]:
    """A dashboard as Grafana imports it."""
    source = {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}
    others = {"type": "dashboards", "title": "Rolecall", "tags": ["rolecall"], "asDropdown": True}
    return {
        "uid": f"rolecall-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["rolecall"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source]},
        "links": [others],
        "panels": [_shown_panel(panel, number) for number, panel in enumerate(dashboard.panels)],
    }


def _shown_panel(panel: Panel, number: int) -> Mapping[str, Any]:
    row, column = divmod(number, 2)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": line.query.strip(),
                "legendFormat": line.name,
            }
            for place, line in enumerate(panel.lines)
        ],
    }
