"""The gateway's own refusals as pages for people."""

from collections.abc import Mapping

from services.console.pages.rendering import Form, render
from services.console.pages.texts import FAILURES
from services.console.pages.words import WORDS
from services.console.routes.answers import HEADERS
from shared.http.refusals import NoRoute
from shared.problems import Refusal

PAGE_HEADERS: Mapping[str, str] = {
    name: text for name, text in HEADERS.items() if name != "X-Content-Type-Options"
}
AGAIN = "Go back, and try again in a few seconds."
SENTENCES: Mapping[str, str] = {
    "too-many-connections": f"Too many requests from your address at the same time. {AGAIN}",
    "request-rate-exceeded": f"Too many requests from your address. {AGAIN}",
    "body-too-large": "What you sent is too large. Go back, and enter shorter texts.",
    "unavailable": f"The service does not answer at the moment. {AGAIN}",
    NoRoute.code: FAILURES[404].en,
    "internal-error": f"Something went wrong on our side. {AGAIN}",
}
"""By the code of the refusal."""
OTHERWISE = "Your browser sent a request that we do not understand. Go back, and try again."


def error_page_text(refusal: Refusal) -> str:
    """The page in one line, without what would end a string of nginx or be one of its variables.

    Raises:
        ValueError: the page has such a character.
    """
    form = Form(problem=SENTENCES.get(refusal.code, OTHERWISE), status=refusal.status)
    text = render(
        "problem",
        {
            "product": "Rolecall",
            "form": form,
            "signed_in": False,
            "mark": "",
            "done": "",
            "title": WORDS["missing" if refusal.code == NoRoute.code else "not_done"].en,
        },
    )
    line = " ".join(text.split())
    if set("'$\\") & set(line):
        raise ValueError("the page of an error must not contain ', $ or a backslash")
    return line
