"""Plots as SVG: bars and lines with labelled axes, readable in a light and in a dark page."""

import math
from collections.abc import Callable, Sequence
from html import escape

from benchmarks.results import Bars, Lines, Plot, shown

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 720, 70, 44, 64, 52
LINES_HEIGHT, BAR_STEP, BAR_LEFT, BAR_RIGHT = 380, 34, 210, 90
COLORS = ("#3b7ddd", "#d9822b", "#2a9d6f", "#b256c4", "#8a8f98")
STYLE = """\
text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}
.page{fill:#fff}.grid{stroke:#d8dee4}.axis{stroke:#57606a}.line{fill:none;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.grid{stroke:#30363d}
.axis{stroke:#8b949e}}"""
PARTS_OF_AN_AXIS = 5
NAMESPACE = "http://www.w3.org/2000/svg"


def svg(plot: Plot) -> str:
    """The plot as a file."""
    return _bars(plot) if isinstance(plot, Bars) else _lines(plot)


def _bars(plot: Bars) -> str:
    height = TOP + BAR_STEP * len(plot.bars) + BOTTOM
    end = height - BOTTOM
    ticks = axis([value for _, value in plot.bars], log=plot.log)
    at = _scale(ticks, BAR_LEFT, WIDTH - BAR_RIGHT, log=plot.log)
    drawn = [_across(at(tick), TOP - 8, end, shown(tick)) for tick in ticks]
    for number, (label, value) in enumerate(plot.bars):
        y = TOP + BAR_STEP * number
        wide = max(1.0, at(value) - BAR_LEFT)
        color = COLORS[0] if number == 0 else COLORS[-1]
        drawn += [
            f'<rect x="{BAR_LEFT}" y="{y}" width="{wide:.1f}" height="22" rx="2" fill="{color}"/>',
            _text(BAR_LEFT - 8, y + 16, label, anchor="end"),
            _text(BAR_LEFT + wide + 6, y + 16, shown(value)),
        ]
    drawn.append(_text((BAR_LEFT + WIDTH - BAR_RIGHT) / 2, height - 12, plot.unit, anchor="middle"))
    return _file(plot.title, height, drawn)


def _lines(plot: Lines) -> str:
    end, right = LINES_HEIGHT - BOTTOM, WIDTH - RIGHT
    points = [point for series in plot.series for point in series.points]
    across = axis([x for x, _ in points], log=plot.log_x, from_zero=not plot.log_x)
    upwards = axis([y for _, y in points])
    x_at = _scale(across, LEFT, right, log=plot.log_x)
    y_at = _scale(upwards, end, TOP)
    drawn = [_across(x_at(tick), TOP, end, shown(tick)) for tick in across]
    for tick in upwards:
        y = f"{y_at(tick):.1f}"
        drawn += [
            f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>',
            _text(LEFT - 8, y_at(tick) + 4, shown(tick), anchor="end"),
        ]
    drawn.append(f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{end}H{right}"/>')
    legend = float(LEFT)
    for color, series in zip(COLORS, plot.series, strict=False):
        places = [(f"{x_at(x):.1f}", f"{y_at(y):.1f}") for x, y in series.points]
        path = " ".join(f"{x},{y}" for x, y in places)
        drawn.append(f'<polyline class="line" stroke="{color}" points="{path}"/>')
        if plot.markers:
            drawn += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{color}"/>' for x, y in places]
        drawn += [
            f'<rect x="{legend:.0f}" y="40" width="12" height="12" rx="2" fill="{color}"/>',
            _text(legend + 18, 51, series.label),
        ]
        legend += 40 + 7.2 * len(series.label)
    middle = (TOP + end) / 2
    drawn += [
        _text((LEFT + right) / 2, LINES_HEIGHT - 12, plot.x, anchor="middle"),
        f'<g transform="rotate(-90 16 {middle})">{_text(16, middle, plot.y, anchor="middle")}</g>',
    ]
    return _file(plot.title, LINES_HEIGHT, drawn)


def axis(values: Sequence[float], *, log: bool = False, from_zero: bool = True) -> list[float]:
    """The marks of an axis that has all of these values."""
    if log:
        known = [value for value in values if value > 0] or [1.0]
        first, last = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
        return [10.0**power for power in range(first, max(last, first + 1) + 1)]
    low, high = 0.0 if from_zero else min(values), max([*values, 0.0]) or 1.0
    rough = (high - low) / PARTS_OF_AN_AXIS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    return [low + step * number for number in range(math.ceil((high - low) / step - 1e-9) + 1)]


def _scale(
    ticks: Sequence[float], start: float, end: float, *, log: bool = False
) -> Callable[[float], float]:
    """The place of each value, when the marks lie between two places."""

    def of(value: float) -> float:
        return math.log10(max(value, 1e-9)) if log else value

    first, last = of(ticks[0]), of(ticks[-1])
    return lambda value: start + (of(value) - first) / (last - first) * (end - start)


def _across(x: float, top: float, end: float, label: str) -> str:
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{end}"/>'
    return line + _text(x, end + 18, label, anchor="middle")


def _text(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _file(title: str, height: float, drawn: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
            _text(20, 26, title, kind="title"),
            *drawn,
            "</svg>\n",
        ]
    )
