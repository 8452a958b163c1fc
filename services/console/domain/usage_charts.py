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
"""Of a day in the chart, of the space behind its bar, and of all, in units of the chart."""


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
    """One day of the chart: its place, and how many actions there were."""

    day: str
    number: int
    x: int
    y: int
    width: int
    height: int


def bars(month: Month, rows: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """The bars of a chart of the actions of each day; the highest fills it."""
    numbers = {row["day"]: row["activity"] for row in rows}
    most = max([*numbers.values(), 1])
    found = []
    for place, day in enumerate(month.days):
        number = numbers.get(day.isoformat(), 0)
        height = -(-number * HEIGHT // most)
        found.append(
            Bar(
                day=day.isoformat(),
                number=number,
                x=place * DAY_WIDTH,
                y=HEIGHT - height,
                width=DAY_WIDTH - GAP,
                height=height,
            )
        )
    return found


def shown_number(text: str, *, locale: str, places: int = 0) -> str:
    """A number of the API as people write it, with all of its digits and at least some places."""
    form = "#,##0." + "0" * places + "#" * (12 - places)
    shown: str = format_decimal(Decimal(text), format=form, locale=locale)
    return shown
