"""The months and the chart of the page of usage."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
DAY_WIDTH, GAP, HEIGHT = 24, 4, 160
"""Of a day in the chart, of the space around its bar, and of all, in units of the chart."""
MAX_STEPS = 4
NAMED_DAYS = 5
"""The first day has a number below the chart, and each fifth one."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """A month of UTC, in which usage is counted."""

    first: date

    @classmethod
    def read(cls, text: str, *, now: datetime) -> "Month":
        """The month that an address names; what names none is the present one."""
        today = now.astimezone(UTC).date()
        match = _MONTH.fullmatch(text)
        try:
            first = date(int(match[1]), int(match[2]), 1) if match else today.replace(day=1)
            return cls(first=first if 1 < first.year < 9999 else today.replace(day=1))
        except ValueError:
            return cls(first=today.replace(day=1))

    @property
    def name(self) -> str:
        """As an address has it."""
        return f"{self.first:%Y-%m}"

    def title(self, locale: str) -> str:
        """As a page names it."""
        shown: str = format_date(self.first, "LLLL y", locale=locale)
        return shown

    @property
    def end(self) -> date:
        """The first day after it."""
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def before(self) -> str:
        """The name of the month before."""
        return f"{self.first - timedelta(days=1):%Y-%m}"

    @property
    def after(self) -> str:
        """The name of the month after it."""
        return f"{self.end:%Y-%m}"

    def has_begun_after(self, now: datetime) -> bool:
        """Whether the next month is one of the future."""
        return self.end > now.astimezone(UTC).date()

    @property
    def days(self) -> Sequence[date]:
        """Its days."""
        return [
            self.first + timedelta(days=number) for number in range((self.end - self.first).days)
        ]

    @property
    def query(self) -> dict[str, str]:
        """The same for the API, which counts in days of UTC."""
        return {"from": f"{self.first}T00:00:00Z", "to": f"{self.end}T00:00:00Z"}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One day of the chart: its place, and how many actions there were.

    `day` is the day as people write it, `label` its number where the chart names it.
    """

    day: str
    label: str
    number: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class ChartMark:
    """A number beside the chart, and how far down its line is."""

    number: int
    y: int


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The actions of each day of a month. The marks go from the highest down to zero."""

    bars: Sequence[Bar]
    marks: Sequence[ChartMark]

    @property
    def total(self) -> int:
        """The actions of all days."""
        return sum(bar.number for bar in self.bars)

    @property
    def width(self) -> int:
        """Its width in its units."""
        return DAY_WIDTH * len(self.bars)


def chart(month: Month, rows: Sequence[Mapping[str, Any]], *, locale: str) -> Chart:
    """A chart of the actions of each day."""
    numbers = {row["day"]: row["activity"] for row in rows}
    marks = _marks(max([*numbers.values(), 1]))
    top = marks[0].number
    found = []
    for place, day in enumerate(month.days):
        number = numbers.get(day.isoformat(), 0)
        height = -(-number * HEIGHT // top)
        found.append(
            Bar(
                day=shown_day(day, locale=locale),
                label=str(day.day) if day.day == 1 or day.day % NAMED_DAYS == 0 else "",
                number=number,
                x=place * DAY_WIDTH + GAP // 2,
                y=HEIGHT - height,
                width=DAY_WIDTH - GAP,
                height=height,
            )
        )
    return Chart(bars=found, marks=marks)


def _marks(most: int) -> list[ChartMark]:
    """Round numbers at equal distances, from one above the most actions down to zero."""
    ten = 1
    while MAX_STEPS * 5 * ten < most:
        ten *= 10
    step = next(one * ten for one in (1, 2, 5) if MAX_STEPS * one * ten >= most)
    steps = -(-most // step)
    return [ChartMark(number=(steps - n) * step, y=n * HEIGHT // steps) for n in range(steps + 1)]


def shown_day(day: date, *, locale: str) -> str:
    """A day as people write it."""
    shown: str = format_date(day, "medium", locale=locale)
    return shown


def shown_number(text: str, *, locale: str, places: int = 0) -> str:
    """A number of the API as people write it, with all of its digits and at least some places."""
    form = "#,##0." + "0" * places + "#" * (12 - places)
    shown: str = format_decimal(Decimal(text), format=form, locale=locale)
    return shown
