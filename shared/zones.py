"""Moments in the time zone of a reader."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.locales import DEFAULT_TIME_ZONE


def zone_of(time_zone: str) -> ZoneInfo:
    """The zone with a name; one that this machine does not know counts as UTC."""
    try:
        return ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(DEFAULT_TIME_ZONE)


def in_zone(moment: datetime, time_zone: str) -> datetime:
    """The moment in the zone with a name.

    A moment at an end of the calendar may not exist there. It is shown in UTC, or as it is if it
    does not exist in UTC either.
    """
    for zone in (zone_of(time_zone), ZoneInfo(DEFAULT_TIME_ZONE)):
        try:
            return moment.astimezone(zone)
        except OverflowError:
            continue
    return moment
