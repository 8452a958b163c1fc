"""The gateway's own refusals as pages for people."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText
from services.console.pages.rendering import Form, render
from services.console.pages.texts import FAILURES
from services.console.pages.words import WORDS
from services.console.routes.answers import HEADERS
from shared.http.refusals import NoRoute
from shared.locales import Locale
from shared.problems import Refusal

PAGE_HEADERS: Mapping[str, str] = {
    name: text for name, text in HEADERS.items() if name != "X-Content-Type-Options"
}
AGAIN = PageText(
    "Go back, and try again in a few seconds.",
    "Gehen Sie zurück, und versuchen Sie es in einigen Sekunden noch einmal.",
)
SENTENCES: Mapping[str, PageText] = {
    "too-many-connections": PageText(
        f"Too many requests from your address at the same time. {AGAIN.en}",
        f"Zu viele gleichzeitige Anfragen von Ihrer Adresse. {AGAIN.de}",
    ),
    "request-rate-exceeded": PageText(
        f"Too many requests from your address. {AGAIN.en}",
        f"Zu viele Anfragen von Ihrer Adresse. {AGAIN.de}",
    ),
    "body-too-large": PageText(
        "What you sent is too large. Go back, and enter shorter texts.",
        "Was Sie gesendet haben, ist zu groß. Gehen Sie zurück, und geben Sie kürzere Texte ein.",
    ),
    "unavailable": PageText(
        f"The service does not answer at the moment. {AGAIN.en}",
        f"Der Dienst antwortet gerade nicht. {AGAIN.de}",
    ),
    NoRoute.code: FAILURES[404],
    "internal-error": PageText(
        f"Something went wrong on our side. {AGAIN.en}",
        f"Auf unserer Seite ging etwas schief. {AGAIN.de}",
    ),
}
"""By the code of the refusal."""
OTHERWISE = PageText(
    "Your browser sent a request that we do not understand. Go back, and try again.",
    "Ihr Browser hat eine Anfrage gesendet, die wir nicht verstehen. Gehen Sie zurück, und"
    " versuchen Sie es noch einmal.",
)


def error_page_text(refusal: Refusal, language: Locale) -> str:
    """The page in one line, without what would end a string of nginx or be one of its variables.

    Raises:
        ValueError: the page has such a character.
    """
    problem = SENTENCES.get(refusal.code, OTHERWISE).of(language)
    text = render(
        "problem",
        {
            "language": language,
            "product": "Rolecall",
            "form": Form(problem=problem, status=refusal.status),
            "signed_in": False,
            "mark": "",
            "pressed": False,
            "done": "",
            "title": WORDS["missing" if refusal.code == NoRoute.code else "not_done"].of(language),
        },
    )
    line = " ".join(text.split())
    if set("'$\\") & set(line):
        raise ValueError("the page of an error must not contain ', $ or a backslash")
    return line
