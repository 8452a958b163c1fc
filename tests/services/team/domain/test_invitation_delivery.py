"""When the link of an invitation ends."""

from datetime import UTC, datetime, timedelta

import pytest

from rolecall import AfterExpiry, Delivery, InvitationPolicy
from services.team.domain.invitation_delivery import expiry

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lifetime", "at_most", "end"),
    [
        (3600, None, NOW + timedelta(hours=1)),
        (3600, SOON, SOON),
        (3600, LAST, NOW + timedelta(hours=1)),
        (10**12, None, None),
        (10**12, SOON, SOON),
        (10**18, None, None),
        (10**400, LAST, LAST),
    ],
)
def test_a_lifetime_beyond_the_calendar_has_no_end(lifetime, at_most, end):
    policy = InvitationPolicy(
        lifetime_seconds=lifetime,
        after_expiry=AfterExpiry.REPLACE,
        resend=True,
        deliveries=(Delivery.EMAIL,),
    )
    assert expiry(policy, NOW, at_most=at_most) == end
