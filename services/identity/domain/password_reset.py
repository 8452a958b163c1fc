"""Password reset: the mailed link of a user who cannot sign in (B1)."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.identity.domain.mailed_links import REPEAT_WINDOW, LinkInvalid, link_to_mail
from services.identity.domain.users import User, payload_fields, user_fact
from shared.contracts.facts import Fact
from shared.contracts.identity import UserPasswordResetRequested

RESET_LIFETIME = timedelta(hours=1)
"""The link works for this time."""
YOUNG_LINK = timedelta(minutes=15)
"""A request that is repeated within this time mails the same link again."""


def request(user: User, *, now: datetime) -> tuple[User, Fact]:
    """Have a link mailed to the user."""
    generation, made_at = link_to_mail(
        user.reset_generation, user.reset_link_made_at, now=now, young_for=YOUNG_LINK
    )
    requested = replace(user, reset_generation=generation, reset_link_made_at=made_at)
    payload = UserPasswordResetRequested(
        **payload_fields(user), generation=generation, expires_at=made_at + RESET_LIFETIME
    )
    return requested, user_fact(requested, payload)


def check_link(user: User | None, *, generation: int, now: datetime) -> User:
    """Give the user of a link that is about to be mailed or used.

    Raises:
        LinkInvalid: the link is used, superseded or expired, or the password was changed since.
    """
    if (
        user is None
        or user.reset_link_made_at is None
        or user.reset_generation != generation
        or now >= user.reset_link_made_at + RESET_LIFETIME
    ):
        raise LinkInvalid
    return user


def check_repeat(user: User | None, *, generation: int, now: datetime) -> User:
    """Give the user whose password was set by this link just now, and was not changed since.

    Raises:
        LinkInvalid: the link was used more than a minute ago, or is not the newest used one.
    """
    if (
        user is None
        or user.reset_used_at is None
        or user.reset_generation != generation
        or now > user.reset_used_at + REPEAT_WINDOW
    ):
        raise LinkInvalid
    return user
