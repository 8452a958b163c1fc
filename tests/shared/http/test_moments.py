"""Which moments a request may store: those that every reader can be shown."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.http.moments import StoredMoment

MOMENTS: TypeAdapter[datetime] = TypeAdapter(StoredMoment)
ZONES = ("Pacific/Kiritimati", "Etc/GMT+12", "UTC")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("0001-01-02T00:00:00Z", "0001-01-02T00:00:00+00:00"),
        ("0001-01-01T12:00:00-12:00", "0001-01-02T00:00:00+00:00"),
        ("2026-03-05T12:00:00.123999+14:00", "2026-03-04T22:00:00.123000+00:00"),
        ("9999-12-30T23:59:59.999999Z", "9999-12-30T23:59:59.999000+00:00"),
        ("9999-12-31T13:59:59+14:00", "9999-12-30T23:59:59+00:00"),
    ],
)
def test_a_moment_that_is_stored_exists_in_every_zone(text, stored):
    moment = MOMENTS.validate_python(text)
    assert (moment.isoformat(), moment.tzinfo) == (stored, UTC)
    assert all(moment.astimezone(ZoneInfo(zone)) == moment for zone in ZONES)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "0001-01-01T23:59:59.999999Z",
        "0001-01-02T00:00:00+00:01",
        "9999-12-30T23:59:00-00:01",
        "9999-12-31T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999999-23:59",
    ],
)
def test_a_moment_that_some_zone_lacks_is_refused(text):
    with pytest.raises(ValidationError, match="does not exist in every time zone"):
        MOMENTS.validate_python(text)
