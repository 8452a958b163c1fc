"""Moments in the bodies of requests."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _in_utc(moment: datetime) -> datetime:
    """The moment in whole milliseconds, as the database stores it."""
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    try:
        return whole.astimezone(UTC)
    except OverflowError:
        raise ValueError("This date does not exist in UTC.") from None


StoredMoment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An RFC 3339 time with a zone, as the database stores it."""
