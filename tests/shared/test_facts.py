"""How a fact writes what the audit log shows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.notification import PreferencesChanged

AT = datetime(2026, 3, 5, 12, 0, 0, 123456, tzinfo=UTC)
EAST = AT.astimezone(timezone(timedelta(hours=3)))


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        (None, None),
        ({"at": AT, "name": "x"}, {"at": "2026-03-05T12:00:00.123Z", "name": "x"}),
        ({"at": EAST}, {"at": "2026-03-05T12:00:00.123Z"}),
        ({"at": datetime(1, 1, 1, tzinfo=EAST.tzinfo)}, {"at": "0001-01-01T00:00:00.000Z"}),
        (
            {"of": {"at": AT}, "all": (AT, None)},
            {
                "of": {"at": "2026-03-05T12:00:00.123Z"},
                "all": ["2026-03-05T12:00:00.123Z", None],
            },
        ),
    ],
)
def test_moments_before_and_after_a_change_have_one_form(shown, written):
    fact = Fact(
        payload=PreferencesChanged(user_id="usr_1"),
        resource=ResourceRef(type="notification_preferences", id="usr_1"),
        before=shown,
        after=shown,
    )
    assert (fact.before, fact.after) == (written, written)
