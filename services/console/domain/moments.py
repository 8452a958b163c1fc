"""Moments as a page shows them: in the language and the time zone of their reader."""

from datetime import UTC, date, datetime, time

from babel.dates import format_datetime

from shared.zones import in_zone, zone_of

FORMS = {
    "en": ("en_GB", "d MMM y"),
    "de": ("de_DE", "d. MMM y"),
}
"""By language: the name by which Babel knows its forms, and the form of a day."""


def shown_moment(
    text: str, *, locale: str, time_zone: str, day: bool = False, seconds: bool = False
) -> str:
    """A moment of the API, or only its day."""
    local = in_zone(datetime.fromisoformat(text), time_zone)
    region, form = FORMS.get(locale, FORMS["en"])
    if not day:
        form += ", HH:mm:ss" if seconds else ", HH:mm"
    shown: str = format_datetime(local, form, tzinfo=local.tzinfo, locale=region)
    return shown


def end_of_day(text: str, *, time_zone: str) -> str | None:
    """The last second of a day in the zone, as the API takes it; None: the text is not a day."""
    try:
        first = datetime.combine(date.fromisoformat(text), time(23, 59, 59), zone_of(time_zone))
        return first.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


def day_of(text: str, *, time_zone: str) -> str:
    """The day of a moment of the API in the zone, as a field of a form has it."""
    return in_zone(datetime.fromisoformat(text), time_zone).date().isoformat()
