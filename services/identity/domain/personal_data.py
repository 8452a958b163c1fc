"""Exports of personal data: how often a user gets one, and how long its lists are."""

from services.identity.domain.rate_limits import MAIL_WINDOW, RateLimit
from shared.ids import UserId

MAX_ROWS = 1_000
"""The longest list of an export; a longer one says that it is cut."""


def export_limit(user_id: UserId, *, limit: int) -> RateLimit:
    """Give what an export counts against: it reads more than any other request of a user."""
    return RateLimit(key=("exports", user_id), limit=limit, window=MAIL_WINDOW)
