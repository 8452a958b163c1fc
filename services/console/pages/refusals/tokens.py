"""Refusals of the routes of API tokens."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

TOKENS: Mapping[str, PageText] = {
    "restriction-unknown": PageText(
        "Something that the token was restricted to does not exist any more. Reload the page, and"
        " choose again.",
        "Etwas, worauf das Token beschränkt werden sollte, gibt es nicht mehr. Laden Sie die Seite"
        " neu, und wählen Sie noch einmal.",
    ),
    "token-too-wide": PageText(
        "The token would reach further than you can. Restrict it more.",
        "Das Token würde weiter reichen als Sie selbst. Beschränken Sie es stärker.",
    ),
    "too-many-tokens": PageText(
        "You have {limit} API tokens in this account, the most that one person can have. Revoke one"
        " that you do not need.",
        "Sie haben in diesem Konto {limit} API-Tokens, mehr kann eine Person nicht haben."
        " Widerrufen Sie eines, das Sie nicht brauchen.",
    ),
}
