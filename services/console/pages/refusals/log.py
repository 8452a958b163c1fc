"""Refusals of the routes of the audit log."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

LOG: Mapping[str, PageText] = {
    "too-many-exports-at-once": PageText(
        "Too many exports of this account are running. Wait until one has ended, then try again.",
        "Es laufen zu viele Exporte dieses Kontos. Warten Sie, bis einer zu Ende ist, und versuchen"
        " Sie es dann noch einmal.",
    ),
    "too-many-requests-at-once": PageText(
        "Too many of your requests are running at the same time. Try again in a moment.",
        "Es laufen zu viele Ihrer Anfragen gleichzeitig. Versuchen Sie es gleich noch einmal.",
    ),
    "too-many-searches": PageText(
        "There are {limit} saved searches, the most that can be kept. Delete one that you do not"
        " need.",
        "Es gibt schon {limit} gespeicherte Suchen, mehr geht nicht. Löschen Sie eine, die Sie"
        " nicht brauchen.",
    ),
}
