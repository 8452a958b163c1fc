"""The filters of the audit log as an address has them, and as the API takes them."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.zones import zone_of

FILTERS = (
    *("text", "action", "user", "on_behalf_of", "project", "resource_type", "resource_id"),
    *("outcome", "from", "to", "request_id", "through"),
)
"""In the order of the form; the names are those of the API."""
RANGE = "range"
"""In an address: the name of a usual time, which a press of the form chooses."""
SELDOM = frozenset({"on_behalf_of", "resource_id", "request_id", "through"})
"""What is looked for seldom: the form hides it until it is used."""
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", re.ASCII)
"""What a browser sends of a field for a moment."""
_BEGINS_MONTH = re.compile(r"\d{4}-\d\d-01T00:00", re.ASCII)


def chosen(query: Mapping[str, str], time_zone: str) -> dict[str, str]:
    """The filters of an address, without empty ones; moments are written in UTC.

    A moment without a zone is one of the reader's clock, so that an address means the same to all.
    One that no year from 1 to 9999 has in UTC stays as it is, and the API refuses it.
    """
    given = {name: query.get(name, "").strip() for name in FILTERS}
    moments = {name: _moment(given[name], time_zone) for name in ("from", "to")}
    return {name: text for name, text in (given | moments).items() if text}


def _moment(text: str, time_zone: str) -> str:
    if not _LOCAL.fullmatch(text):
        return text
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=zone_of(time_zone))
        return _written(local)
    except (ValueError, OverflowError):
        return text


def typed_moment(text: str, time_zone: str) -> str:
    """A moment of the API as a field for moments has it; what is none stays."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return text
        local = moment.astimezone(zone_of(time_zone))
    except (ValueError, OverflowError):
        return text
    return local.replace(tzinfo=None).isoformat(timespec="minutes")


def period(filters: Mapping[str, str], time_zone: str) -> str:
    """The time of the filters for the name of a file: a month, or the days of their moments."""
    first, end = (typed_moment(filters.get(name, ""), time_zone) for name in ("from", "to"))
    begins = _BEGINS_MONTH.fullmatch(first)
    if begins and _BEGINS_MONTH.fullmatch(end):
        month = datetime.fromisoformat(first)
        if (month + timedelta(days=31)).replace(day=1) == datetime.fromisoformat(end):
            return f"-{first[:7]}"
    days = (("from", first), ("to", end))
    return "".join(f"-{name}-{text[:10]}" for name, text in days if _LOCAL.fullmatch(text))


def ranges(now: datetime, time_zone: str) -> dict[str, dict[str, str]]:
    """Usual times by their names, in days of the reader's zone; a week begins on Monday."""
    today = now.astimezone(zone_of(time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    week, month = today - timedelta(days=today.weekday()), today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    return {
        "today": {"from": _written(today)},
        "last_7_days": {"from": _written(today - timedelta(days=6))},
        "last_week": {"from": _written(week - timedelta(days=7)), "to": _written(week)},
        "last_30_days": {"from": _written(today - timedelta(days=29))},
        "this_month": {"from": _written(month)},
        "last_month": {"from": _written(last_month), "to": _written(month)},
    }


def asked(query: Mapping[str, str], *, now: datetime, time_zone: str) -> dict[str, str]:
    """The filters of an address, with the usual time that it names in the place of its own."""
    filters = chosen(query, time_zone)
    usual = ranges(now, time_zone).get(query.get(RANGE, ""))
    if usual is None:
        return filters
    others = {name: text for name, text in filters.items() if name not in {"from", "to"}}
    return others | usual


def _written(moment: datetime) -> str:
    utc = moment.astimezone(zone_of("UTC")).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='seconds')}Z"
