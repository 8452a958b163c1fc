"""Moments in requests, and what is wrong with a text that is not a time of RFC 3339."""

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

FORM = "an RFC 3339 time with a zone, such as 2026-03-05T12:00:00Z"

FIRST = datetime(1, 1, 2, tzinfo=UTC)
AFTER_LAST = datetime(9999, 12, 31, tzinfo=UTC)
"""The moments from the one to before the other exist in every time zone."""

_TIME = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt_ ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?.*)?"
)


def moment_fault(text: str) -> str:
    """Say what is wrong with the text and what to send instead; never a part of the text."""
    found = _TIME.fullmatch(text)
    if found is None:
        return f"Must be {FORM}"
    if not _is_day(found["day"]):
        return f"This day does not exist in the calendar. Send {FORM}"
    if found["hour"] is None:
        return f"The time of the day is missing. Send {FORM}"
    if found["hour"] > "23" or found["minute"] > "59" or (found["second"] or "00") > "59":
        return f"This time of the day does not exist. Send {FORM}"
    return f"Must be {FORM}"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _in_utc(moment: datetime) -> datetime:
    """The moment in whole milliseconds, as the database stores it.

    Raises:
        ValueError: the moment does not exist in every time zone, so that some readers could not
            be shown it.
    """
    if not FIRST <= moment < AFTER_LAST:
        raise ValueError(
            "This moment does not exist in every time zone."
            " Send one from 0001-01-02 to 9999-12-30 in UTC."
        )
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000).astimezone(UTC)


StoredMoment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An RFC 3339 time with a zone, as the database stores it; it exists in every time zone."""
