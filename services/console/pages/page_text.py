"""A text of the pages in each language of the product."""

from typing import NamedTuple

from shared.locales import known_locale


class PageText(NamedTuple):
    """One text in each language; the fields are the codes of `Locale`."""

    en: str
    de: str

    def of(self, language: str) -> str:
        """The text in a language; in English for one that the product does not speak."""
        text: str = getattr(self, known_locale(language))
        return text

    def filled(self, **parts: str) -> "PageText":
        """The text with its parts in braces."""
        return PageText(*(text.format(**parts) for text in self))


Fault = str | PageText
"""What a page says that went wrong; a plain text is English."""
