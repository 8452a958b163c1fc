"""The units of metered usage in words; a platform may report others, too."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from services.console.pages.page_text import PageText


class UnitWords(NamedTuple):
    """A unit after the number one, and after any other number."""

    one: PageText
    more: PageText


UNITS: Mapping[str, UnitWords] = {
    "gpu_hour": UnitWords(PageText("GPU hour", "GPU-Stunde"), PageText("GPU hours", "GPU-Stunden")),
    "gpu_second": UnitWords(
        PageText("GPU second", "GPU-Sekunde"), PageText("GPU seconds", "GPU-Sekunden")
    ),
    "node_hour": UnitWords(
        PageText("node hour", "Knotenstunde"), PageText("node hours", "Knotenstunden")
    ),
    "hour": UnitWords(PageText("hour", "Stunde"), PageText("hours", "Stunden")),
    "million_tokens": UnitWords(
        PageText("million tokens", "Million Tokens"),
        PageText("million tokens", "Millionen Tokens"),
    ),
    "gb_day": UnitWords(PageText("GB day", "GB-Tag"), PageText("GB days", "GB-Tage")),
    "tb_day": UnitWords(PageText("TB day", "TB-Tag"), PageText("TB days", "TB-Tage")),
}


def unit_words(unit: str, quantity: str, language: str) -> str:
    """The words for a unit after a quantity; one that has none is shown as it was reported."""
    words = UNITS.get(unit)
    if words is None:
        return unit.replace("_", " ")
    return (words.one if Decimal(quantity) == 1 else words.more).of(language)
