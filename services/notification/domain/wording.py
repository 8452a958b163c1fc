"""How a language writes what every mail has: names, moments, durations, and some fixed words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_datetime, get_timezone_name
from babel.units import format_unit

from shared.locales import DEFAULT_TIME_ZONE, Locale
from shared.zones import in_zone


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The words and forms of one language."""

    locale: Locale
    region: str
    """The name by which Babel knows the forms of dates."""
    moment: str
    """The form of a date with its time, in the letters of CLDR."""
    marks: tuple[str, str]
    """The quotation marks before and after a name."""
    hello: str
    hello_unnamed: str
    """The greeting of a person whose name cannot be shown."""
    unnamed: str
    """What stands for another name that cannot be shown."""
    project_words: Mapping[str, str]
    """What catalogs call a project; a word that is missing is shown as it is."""
    copy_address: str
    """What stands above the address of a button."""
    unsubscribe: str
    """The link to the page that switches off mails like this one."""

    def name_or_substitute(self, field: str, name: str) -> str:
        """The name as it is shown in a sentence, also if nothing of it can be shown."""
        if field == "project_word":
            return self.project_words.get(name or "project", name)
        return name or (self.unnamed if field in _NEEDED else "")


_NEEDED = frozenset({"account", "project", "role"})
"""Names that every sentence needs in which they stand."""

WORDINGS = {
    Locale.EN: Wording(
        locale=Locale.EN,
        region="en_GB",
        moment="d MMMM y, HH:mm",
        marks=("“", "”"),
        hello="Hello",
        hello_unnamed="Hello there",
        unnamed="(unnamed)",
        project_words={},
        copy_address="If the button does not work, copy this address into your browser:",
        unsubscribe="Switch off e-mails of this kind",
    ),
    Locale.DE: Wording(
        locale=Locale.DE,
        region="de_DE",
        moment="d. MMMM y, HH:mm",
        marks=("„", "“"),
        hello="Guten Tag",
        hello_unnamed="Guten Tag",
        unnamed="(ohne Namen)",
        project_words={
            "project": "Projekt",
            "cluster": "Cluster",
            "environment": "Umgebung",
            "realm": "Realm",
            "workspace": "Arbeitsbereich",
        },
        copy_address=(
            "Falls die Schaltfläche nicht funktioniert, kopieren Sie diese Adresse in Ihren"
            " Browser:"
        ),
        unsubscribe="E-Mails dieser Art abbestellen",
    ),
}


def format_moment(
    moment: datetime, locale: Locale = Locale.EN, time_zone: str = DEFAULT_TIME_ZONE
) -> str:
    """A moment with its time zone: `12 March 2026, 14:05 UTC`."""
    wording, local = WORDINGS[locale], in_zone(moment, time_zone)
    date = format_datetime(local, wording.moment, tzinfo=local.tzinfo, locale=wording.region)
    zone = get_timezone_name(local, "short", locale=wording.region)
    return f"{date} {zone if zone.isalpha() and zone.isupper() else _offset(local)}"


def format_duration(duration: timedelta, locale: Locale = Locale.EN) -> str:
    """A duration in words: `7 days`, `24 hours`, `45 minutes`."""
    minutes = max(1, round(duration.total_seconds() / 60))
    if minutes >= 2 * 24 * 60 - 30:
        number, unit = (minutes + 30) // (24 * 60), "day"
    elif minutes >= 2 * 60:
        number, unit = (minutes + 5) // 60, "hour"
    else:
        number, unit = minutes, "minute"
    return format_unit(number, f"duration-{unit}", "long", locale=WORDINGS[locale].region)


def stored_moment(moment: datetime) -> str:
    """A moment as a word of a message, which is written out when the mail is."""
    return moment.isoformat()


def shown_moment(stored: str, locale: Locale, time_zone: str) -> str:
    """The moment of a word; earlier versions stored the moment as a mail shows it."""
    try:
        moment = datetime.fromisoformat(stored)
    except ValueError:
        return stored
    return format_moment(moment, locale, time_zone)


def _offset(local: datetime) -> str:
    """The distance from UTC, for a zone whose short name the language does not use."""
    offset = local.utcoffset() or timedelta()
    minutes = round(abs(offset).total_seconds() / 60)
    return f"UTC{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"
