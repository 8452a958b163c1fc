"""The languages of the product, and the time zones that a person may choose."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from zoneinfo import available_timezones

_MAX_PREFERENCES = 20
"""The parts of `Accept-Language` that are read; browsers send fewer."""

_NOT_ZONES = frozenset({"Factory", "localtime", "posixrules"})
"""Names of the database of a machine that say nothing, or another thing on each machine."""


class Locale(StrEnum):
    """A language in which the product writes to people."""

    EN = "en"
    DE = "de"


DEFAULT_LOCALE = Locale.EN
_KNOWN: Mapping[str, Locale] = {locale.value: locale for locale in Locale}
DEFAULT_TIME_ZONE = "UTC"


def known_locale(code: str) -> Locale:
    """The language of this code, or the default: another version may know more languages."""
    return _KNOWN.get(code, DEFAULT_LOCALE)


def preferred_locale(accept_language: str) -> Locale:
    """The language that a browser prefers (RFC 9110, 12.5.4), or the default.

    Regions do not matter: `de-AT` is German. What cannot be read counts for nothing.
    """
    ranked = sorted(_preferences(accept_language), key=lambda one: -one[1])
    for code, quality in ranked:
        if quality > 0 and code in set(Locale):
            return Locale(code)
    return DEFAULT_LOCALE


def parse_locale(code: str) -> Locale:
    """Check the code of a language.

    Raises:
        ValueError: the product has no such language.
    """
    try:
        return Locale(code)
    except ValueError:
        known = ", ".join(Locale)
        raise ValueError(f"This language is not known. Choose one of: {known}.") from None


def parse_time_zone(name: str) -> str:
    """Check the name of a time zone.

    Raises:
        ValueError: the time zone database has no such name.
    """
    if name not in _time_zones():
        raise ValueError(
            "This time zone is not known. Use a name of the IANA time zone database, such as"
            " `Europe/Berlin` or `UTC`."
        )
    return name


def time_zones() -> list[str]:
    """The names that `parse_time_zone` knows, in order."""
    return sorted(_time_zones())


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_ZONES)


def _preferences(accept_language: str) -> Iterator[tuple[str, float]]:
    for part in accept_language.split(",", _MAX_PREFERENCES)[:_MAX_PREFERENCES]:
        tag, _, weight = part.partition(";")
        code = tag.strip().partition("-")[0].lower()
        name, equals, value = weight.partition("=")
        try:
            quality = float(value) if equals and name.strip() == "q" else 1.0
        except ValueError:
            continue
        if 0 <= quality <= 1:
            yield code, quality
