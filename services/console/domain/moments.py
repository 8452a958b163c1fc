"""Moments as a page shows them: in the language and the time zone of their reader."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime

FORMS = {"en": ("en_GB", "d MMM y, HH:mm"), "de": ("de_DE", "d. MMM y, HH:mm")}
"""By language: the name by which Babel knows its forms, and the form of a moment."""


def shown_moment(text: str, *, locale: str, time_zone: str) -> str:
    """A moment of the API; a zone that this machine does not know counts as UTC."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = datetime.fromisoformat(text).astimezone(zone)
    region, form = FORMS.get(locale, FORMS["en"])
    shown: str = format_datetime(local, form, tzinfo=zone, locale=region)
    return shown
