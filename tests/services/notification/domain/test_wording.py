"""Moments, durations and greetings in each language."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notification.domain.wording import (
    format_duration,
    format_moment,
    shown_moment,
    stored_moment,
)
from shared.locales import Locale

EN, DE = Locale.EN, Locale.DE
MARCH = datetime(2026, 3, 5, 9, 7, tzinfo=UTC)
AUGUST = datetime(2026, 8, 5, 22, 30, tzinfo=UTC)
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(days=7) - timedelta(seconds=20), "7 days"),
        (timedelta(hours=72), "3 days"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=24) - timedelta(seconds=90), "24 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=5), "1 minute"),
    ],
)
def test_a_duration_is_written_in_words(duration, words):
    assert format_duration(duration) == words


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(days=7), "7 Tage"),
        (timedelta(hours=24), "24 Stunden"),
        (timedelta(minutes=1), "1 Minute"),
    ],
)
def test_a_duration_is_written_in_german_words(duration, words):
    assert format_duration(duration, DE) == words


@pytest.mark.parametrize(
    ("moment", "locale", "time_zone", "words"),
    [
        (MARCH, EN, "UTC", "5 March 2026, 09:07 UTC"),
        (MARCH, DE, "UTC", "5. März 2026, 09:07 UTC"),
        (MARCH, EN, "Europe/Berlin", "5 March 2026, 10:07 CET"),
        (MARCH, DE, "Europe/Berlin", "5. März 2026, 10:07 MEZ"),
        (AUGUST, DE, "Europe/Berlin", "6. August 2026, 00:30 MESZ"),
        (MARCH, EN, "America/New_York", "5 March 2026, 04:07 UTC-05:00"),
        (MARCH, DE, "Asia/Kolkata", "5. März 2026, 14:37 UTC+05:30"),
        (MARCH, EN, "Mars/Olympus_Mons", "5 March 2026, 09:07 UTC"),
        (MARCH, EN, "../../etc/passwd", "5 March 2026, 09:07 UTC"),
        (LAST, EN, "Pacific/Kiritimati", "31 December 9999, 23:59 UTC"),
        (LAST, DE, "Europe/Berlin", "31. Dezember 9999, 23:59 UTC"),
        (LAST, EN, "Etc/GMT+12", "31 December 9999, 11:59 UTC-12:00"),
        (FIRST, EN, "Etc/GMT+12", "1 January 1, 00:00 UTC"),
        (FIRST, EN, "Pacific/Kiritimati", "1 January 1, 00:00 UTC"),
    ],
)
def test_a_moment_is_written_in_the_zone_and_form_of_its_reader(moment, locale, time_zone, words):
    assert shown_moment(stored_moment(moment), locale, time_zone) == words


def test_a_moment_that_an_earlier_version_stored_is_shown_as_it_is():
    assert shown_moment(format_moment(MARCH), DE, "Europe/Berlin") == "5 March 2026, 09:07 UTC"
