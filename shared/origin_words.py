"""The words for where a sign-in came from, in the language of the person who reads them."""

from collections.abc import Mapping

from shared.locales import DEFAULT_LOCALE, Locale

_GERMAN: Mapping[str, str] = {
    "Unknown device": "Unbekanntes Gerät",
    "Unknown network": "Unbekanntes Netz",
    "Python program": "Python-Programm",
    "Program": "Programm",
}


def origin_words(text: str, locale: Locale) -> str:
    """The device or network that identity names in English: `Firefox unter Linux`.

    Names of products and networks are the same in each language.
    """
    if locale is DEFAULT_LOCALE:
        return text
    name, on, system = text.partition(" on ")
    words = _GERMAN.get(name, name)
    return f"{words} unter {system}" if on else words
