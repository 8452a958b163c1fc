"""The page of the measurements: what was reached in one minute of reading, plots, raw numbers."""

import textwrap
from collections.abc import Mapping

from msgspec import Struct

from benchmarks.results import Goal, Result, Table
from benchmarks.svg import svg

PAGE, PLOTS = "docs/benchmarks.md", "benchmarks"
"""The page, and the folder of its plots beside it."""
INTRODUCTION = (
    "`make bench` writes this page. A figure counts only as a ratio, measured side by side in one"
    " run on one machine; times in process are those of the CPU. Other products that could not run"
    " are named as not compared."
)
WIDTH = 118


class Measurement(Struct, frozen=True):
    """The result of one part, with what it was measured on."""

    result: Result
    revision: str
    day: str
    versions: Mapping[str, str]
    machine: str


def files(measured: Mapping[str, Measurement], figures: Mapping[str, str]) -> dict[str, str]:
    """The page and its plots, by their names below `docs`; `figures` are what is to be measured."""
    plots = {
        f"{PLOTS}/{plot.name}.svg": svg(plot)
        for each in measured.values()
        for plot in each.result.plots
    }
    return {"benchmarks.md": text(measured, figures), **plots}


def text(measured: Mapping[str, Measurement], figures: Mapping[str, str]) -> str:
    """The page."""
    parts = [
        "# Measurements",
        textwrap.fill(INTRODUCTION, WIDTH),
        summary(measured, figures).markdown(),
        _circumstances(measured),
    ]
    for each in measured.values():
        result = each.result
        parts += [f"## {result.title}", f"`{result.command}`, revision {each.revision}."]
        parts += [f"![{plot.title}]({PLOTS}/{plot.name}.svg)" for plot in result.plots]
        parts += [table.markdown() for table in result.tables]
        if result.notes:
            parts.append("\n".join(_note(note) for note in result.notes))
    return "\n\n".join(parts) + "\n"


def summary(measured: Mapping[str, Measurement], figures: Mapping[str, str]) -> Table:
    """Every figure with its goal, what was measured, and whether it was reached."""
    goals: dict[str, list[Goal]] = {figure: [] for figure in figures}
    for each in measured.values():
        for goal in each.result.goals:
            goals.setdefault(goal.id, []).append(goal)
    rows = []
    for figure, found in goals.items():
        if not found:
            rows.append((figure, figures[figure], "not measured", "", ""))
        rows += [(figure, goal.figure, goal.measured, goal.goal, _verdict(goal)) for goal in found]
    return Table(("", "figure", "measured", "goal", "reached"), rows)


def _note(note: str) -> str:
    return textwrap.fill(f"- {note}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _verdict(goal: Goal) -> str:
    return "" if goal.reached is None else "yes" if goal.reached else "**no**"


def _circumstances(measured: Mapping[str, Measurement]) -> str:
    """The days, the machine and the versions."""
    days = sorted({each.day for each in measured.values()})
    machines = sorted({each.machine for each in measured.values()})
    versions = {name: v for each in measured.values() for name, v in each.versions.items()}
    told = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    told = f"Measured on {', '.join(days)}; {'; '.join(machines)}; {told}."
    return textwrap.fill(told, WIDTH)
