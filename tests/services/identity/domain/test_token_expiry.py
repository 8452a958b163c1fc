"""When mails tell that an API token ends soon."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.identity.domain.token_expiry import next_notice
from tests.support.service import FAR

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("left", "days_before"),
    [
        (90 * DAY, 7),
        (7 * DAY + MINUTE, 7),
        (7 * DAY, 1),
        (3 * DAY, 1),
        (DAY + MINUTE, 1),
        (DAY, None),
        (MINUTE, None),
        (-DAY, None),
    ],
    ids=str,
)
def test_the_next_mail_is_a_week_or_a_day_before_the_end(
    left: timedelta, days_before: int | None
) -> None:
    end = FAR + left
    expected = None if days_before is None else end - days_before * DAY
    assert next_notice(end, after=FAR) == expected
