"""Moments in the zone of a reader, also at both ends of the calendar."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.zones import in_zone

EAST, WEST = "Pacific/Kiritimati", "Etc/GMT+12"
"""UTC+14 and UTC-12."""
FIRST, LAST = "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        ("2026-03-05T12:00:00+00:00", EAST, "2026-03-06T02:00:00+14:00"),
        ("2026-03-05T12:00:00+00:00", WEST, "2026-03-05T00:00:00-12:00"),
        ("2026-03-05T12:00:00+00:00", "Mars/Olympus_Mons", "2026-03-05T12:00:00+00:00"),
        ("2026-03-05T12:00:00+00:00", "../../etc/passwd", "2026-03-05T12:00:00+00:00"),
        ("9999-12-31T09:59:59+00:00", EAST, "9999-12-31T23:59:59+14:00"),
        ("9999-12-31T10:00:00+00:00", EAST, "9999-12-31T10:00:00+00:00"),
        (LAST, EAST, LAST),
        (LAST, WEST, "9999-12-31T11:59:59-12:00"),
        ("0001-01-01T12:00:00+00:00", WEST, "0001-01-01T00:00:00-12:00"),
        ("0001-01-01T11:59:59+00:00", WEST, "0001-01-01T11:59:59+00:00"),
        (FIRST, WEST, FIRST),
    ],
)
def test_a_moment_that_a_zone_lacks_is_shown_in_utc(moment, zone, shown):
    assert in_zone(datetime.fromisoformat(moment), zone).isoformat() == shown


@pytest.mark.parametrize(
    ("moment", "zone"),
    [
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), EAST),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), WEST),
    ],
)
def test_a_moment_that_utc_lacks_too_is_shown_as_it_is(moment, zone):
    with pytest.raises(OverflowError):
        moment.astimezone(UTC)
    assert in_zone(moment, zone) == moment
