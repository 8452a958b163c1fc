"""What the doctor found, and how it is told: in lines, or as one JSON object."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from rolecall.cli.output import plain


class Gravity(StrEnum):
    """How grave a finding is. An error ends with exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    OK = "ok"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong at one place, and what to do; of what is right only that it was looked at."""

    level: Gravity
    area: str
    where: str
    what: str
    do: str = ""


def error(area: str, where: str, what: str, do: str) -> Finding:
    """Something that does not work, or that others can misuse."""
    return Finding(level=Gravity.ERROR, area=area, where=where, what=what, do=do)


def warning(area: str, where: str, what: str, do: str) -> Finding:
    """Something that works now, and may not later."""
    return Finding(level=Gravity.WARNING, area=area, where=where, what=what, do=do)


def good(area: str, where: str, what: str) -> Finding:
    """Something that was looked at and is right."""
    return Finding(level=Gravity.OK, area=area, where=where, what=what)


def in_order(findings: Iterable[Finding]) -> Sequence[Finding]:
    """The gravest first, then by area and place; the same finding of several services once."""
    order = {level: number for number, level in enumerate(Gravity)}
    return sorted(set(findings), key=lambda one: (order[one.level], one.area, one.where, one.what))


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether there is no error."""
    return all(one.level is not Gravity.ERROR for one in findings)


def as_text(findings: Sequence[Finding], *, all_of_them: bool) -> str:
    """A line for each finding, and a last line with their numbers.

    What is right has a line only if all are wanted.
    """
    shown = [one for one in findings if all_of_them or one.level is not Gravity.OK]
    widths = [
        max((len(cell) for cell in column), default=0)
        for column in zip(*map(_cells, shown), strict=True)
    ]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(_cells(one), widths, strict=True))
        + f"  {plain(' '.join(filter(None, (one.what, one.do))))}"
        for one in shown
    ]
    numbers = Counter(one.level for one in findings)
    total = ", ".join(
        f"{numbers[level]} {word if numbers[level] == 1 else words}"
        for level, word, words in (
            (Gravity.ERROR, "error", "errors"),
            (Gravity.WARNING, "warning", "warnings"),
            (Gravity.OK, "check passed", "checks passed"),
        )
    )
    return "\n".join([*lines, f"{total}."])


def as_json(findings: Sequence[Finding]) -> str:
    """One object with every finding."""
    told = [{name: plain(text) for name, text in asdict(one).items()} for one in findings]
    content = {"healthy": healthy(findings), "findings": told}
    return json.dumps(content, ensure_ascii=False)


def _cells(one: Finding) -> tuple[str, str, str]:
    return one.level, one.area, plain(one.where)
