"""The words of a message that a catalog has named, in each language that the catalog has."""

from collections.abc import Mapping
from typing import Protocol

from shared.contracts.facts import Translations
from shared.locales import Locale


class Translated(Protocol):
    """A fact with texts of a catalog."""

    @property
    def translations(self) -> Translations:
        """Language → member of the fact → its text in that language."""


def catalog_words(fact: Translated, **members: str) -> dict[str, str]:
    """The words of a message from members of a fact, with one word more for each other language.

    Each reads the message in a language of their own, which may change.
    """
    words = {word: getattr(fact, member) or "" for word, member in members.items()}
    return words | {
        _word_in(language, word): texts[member]
        for language, texts in fact.translations.items()
        for word, member in members.items()
        if member in texts
    }


def read_words(words: Mapping[str, str], language: Locale) -> dict[str, str]:
    """The words of a message as a reader of this language reads them."""
    others = {_word_in(other, word) for word in words for other in Locale}
    return {
        word: words.get(_word_in(language, word), text)
        for word, text in words.items()
        if word not in others
    }


def _word_in(language: str, word: str) -> str:
    return f"{word}_{language}"
