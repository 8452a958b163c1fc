"""How far a grant reaches, in the words of a page: from the text that the API has of it."""

import json
import re
from collections.abc import Mapping

from services.console.domain.grant_unions import ALL, SELF
from services.console.pages.page_text import PageText

WHOLE: Mapping[str, PageText] = {
    ALL: PageText("All", "Alle"),
    SELF: PageText("own only", "nur eigene"),
}
"""What is said of a grant without conditions."""
ROOTS: Mapping[str, PageText] = {
    "subject.properties.": PageText("“{name}” of the member", "„{name}“ des Mitglieds"),
    "resource.properties.": PageText("“{name}” of the resource", "„{name}“ der Ressource"),
    "action.properties.": PageText("“{name}” of the action", "„{name}“ der Aktion"),
    "context.": PageText("“{name}” of the request", "„{name}“ der Anfrage"),
    "subject.id": PageText("the member", "das Mitglied"),
    "resource.id": PageText("the id of the resource", "die ID der Ressource"),
}
"""What a condition looks at, by the beginning of its path."""
PHRASES: Mapping[str, PageText] = {
    "self when": PageText("own only, if", "nur eigene, wenn gilt:"),
    "all when": PageText("all, if", "alle, wenn gilt:"),
    "is an address outside of": PageText(
        "is an address outside of", "ist eine Adresse außerhalb von"
    ),
    "is an address in": PageText("is an address in", "ist eine Adresse in"),
    "is the same as": PageText("is the same as", "ist dasselbe wie"),
    "does not contain": PageText("does not contain", "enthält nicht"),
    "differs from": PageText("differs from", "ist etwas anderes als"),
    "is none of": PageText("is none of", "ist keines von"),
    "is one of": PageText("is one of", "ist eines von"),
    "contains": PageText("contains", "enthält"),
    "is not": PageText("is not", "ist nicht"),
    "self": PageText("own only", "nur eigene"),
    "true": PageText("true", "wahr"),
    "false": PageText("false", "falsch"),
    "all": PageText("all", "alle"),
    "and": PageText("and", "und"),
    "is": PageText("is", "ist"),
    "or": PageText("or", "oder"),
}
"""The words of the API around what is compared; a longer one stands before those that it has."""
QUOTED = PageText("“{text}”", "„{text}“")
_ROOT = "|".join(re.escape(root) for root in ROOTS)
_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")'
    rf"|(?<![^ ])(?P<root>{_ROOT})(?P<name>[^\s;]*)"
    rf"|(?<![^ ])(?P<word>{'|'.join(PHRASES)})(?![^ ;])"
)


def reach_words(text: str, language: str) -> str:
    """The limit of a grant in a language: `text` is `all`, `self`, or `all when …`."""
    if text in WHOLE:
        return WHOLE[text].of(language)

    def spoken(found: re.Match[str]) -> str:
        if found["text"]:
            return QUOTED.of(language).format(text=json.loads(found["text"]))
        if found["root"]:
            return ROOTS[found["root"]].of(language).format(name=found["name"])
        return PHRASES[found["word"]].of(language)

    return _TOKEN.sub(spoken, text)
