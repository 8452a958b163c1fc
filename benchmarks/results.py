"""What a measurement found: tables, plots, and the goals beside what was reached."""

from collections.abc import Sequence

from msgspec import Struct

Cell = str | int | float


class Goal(Struct, frozen=True):
    """One figure beside its goal; `reached` is `None` where the goal cannot be compared."""

    id: str
    figure: str
    measured: str
    goal: str
    reached: bool | None


class Table(Struct, frozen=True):
    """The raw numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def markdown(self) -> str:
        """The table as text."""
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join(f"| {' | '.join(map(shown, line))} |" for line in lines)


class Bars(Struct, frozen=True, tag=True):
    """Labelled bars of one unit; `log`: each line of the axis is ten times the one before."""

    name: str
    title: str
    unit: str
    bars: Sequence[tuple[str, float]]
    log: bool = False


class Series(Struct, frozen=True):
    """One line: its points from left to right."""

    label: str
    points: Sequence[tuple[float, float]]


class Lines(Struct, frozen=True, tag=True):
    """Lines over one axis; `log_x`: each line of that axis is ten times the one before."""

    name: str
    title: str
    x: str
    y: str
    series: Sequence[Series]
    log_x: bool = False
    markers: bool = True


Plot = Bars | Lines


class Result(Struct, frozen=True):
    """What one part of the measurements found; `command` measures it again."""

    title: str
    command: str
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """The numbers as text."""
        parts = [table.markdown() for table in self.tables]
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts)


def shown(cell: Cell) -> str:
    """A number with three digits or all of its whole ones; a text as it is."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.3g}" if abs(cell) < 1 else f"{cell:.{1 if abs(cell) >= 10 else 2}f}"


def distribution(label: str, values: Sequence[float]) -> Series:
    """The share of the values, in percent, up to each of them."""
    ordered = sorted(values)
    return Series(
        label,
        [(value, (at + 1) / len(ordered) * 100) for at, value in enumerate(ordered)],
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
