"""Refusals of the questions who may do what."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

_NOT_TO_YOU = PageText(
    "You may not ask this about others. Ask a member who manages the members.",
    "Das dürfen Sie nicht über andere fragen. Fragen Sie jemanden, der die Mitglieder verwaltet.",
)
ACCESS: Mapping[str, PageText] = {
    "stale": PageText(
        "This cannot be answered from current data at the moment. Try again in a few seconds.",
        "Das lässt sich gerade nicht mit aktuellen Daten beantworten. Versuchen Sie es in einigen"
        " Sekunden noch einmal.",
    ),
    "history-unavailable": PageText(
        "This is too long ago to be answered.", "Das ist zu lange her, um es zu beantworten."
    ),
    **dict.fromkeys(
        ("other-subject", "scope-missing", "account-not-bound", "type-not-bound"), _NOT_TO_YOU
    ),
}
