"""Refusals of the route of usage."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

USAGE: Mapping[str, PageText] = {
    "too-many-usage-rows": PageText(
        "The file would have more than {limit} rows. Choose fewer groups.",
        "Die Datei hätte mehr als {limit} Zeilen. Wählen Sie weniger Gruppen.",
    ),
}
