"""The answers of the API with the words of catalogs in the language of their reader."""

from collections.abc import Collection, Mapping
from typing import Any

from services.console.domain.permission_tables import is_own_role
from shared.catalog_words import words_in
from shared.locales import Locale, known_locale

TITLES = frozenset({"role_title", "catalog_title", "project_word", "projects_word"})
"""The members of answers that are texts of a catalog."""
FOREIGN = frozenset({"after", "attributes", "before", "filters", "properties"})
"""The members whose content is what others have sent, in any form."""


def in_words(answer: Any, language: str) -> Any:
    """An answer of the API, with the texts of catalogs in a language.

    What the people of an account have named stays, such as their own roles. Answers with the title
    of a role have its id beside it. A catalog may have words of its own.
    """
    locale = known_locale(language)
    return _in_words(answer, words_in(locale), locale)


def _in_words(part: Any, words: Mapping[str, str], language: Locale) -> Any:
    if isinstance(part, list):
        return [_in_words(one, words, language) for one in part]
    if not isinstance(part, dict):
        return part
    if own := part.get("translations"):
        words = {**words, **own.get(language, {})}
    named = {
        name: value if name in FOREIGN else _in_words(value, words, language)
        for name, value in part.items()
    }
    for name in _named_by_catalog(part):
        if isinstance(text := part.get(name), str):
            named[name] = words.get(text, text)
    return named


def _named_by_catalog(part: Mapping[str, Any]) -> Collection[str]:
    """The members of an object that its catalog has named."""
    if part.get("built_in") is True:
        return ("name", "description")
    match part:
        case {"sections": list()}:
            return ("title", "description")
        case {"entries": list()} | {"levels": list()}:
            return ("title", "description")
        case {"title": str(), "includes": list()}:
            return ("title",)
        case {"project": str(), "projects": str()}:
            return ("project", "projects")
    own = {"role_title"} if is_own_role(part.get("role")) else set()
    return TITLES & part.keys() - own
