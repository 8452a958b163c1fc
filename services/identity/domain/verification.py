"""Verification of an e-mail address: which link works, and what follows from it (B1)."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.identity.domain.users import User, payload_fields, user_fact
from shared.contracts.facts import Fact
from shared.contracts.identity import UserVerificationResent, UserVerified
from shared.problems import Refusal, RefusalKind

REPEAT_WINDOW = timedelta(minutes=10)
"""A used link works again for this time: the first answer may have been lost on the way."""


class LinkInvalid(Refusal):
    """The verification link is forged, used, superseded or expired; the answer is the same."""

    kind = RefusalKind.GONE
    code = "link-invalid"
    detail = "This verification link is not valid any more. Ask for a new one."


def verify(
    user: User, *, generation: int, verified_user: User | None, now: datetime
) -> tuple[User, tuple[Fact, ...]]:
    """Verify the user of a link; `verified_user` is the verified user of the address, if any.

    Raises:
        LinkInvalid: the link was used more than `REPEAT_WINDOW` ago, is superseded or expired, or
            another user verified the address first.
    """
    if user.verified_at is not None:
        if generation != user.generation or now > user.verified_at + REPEAT_WINDOW:
            raise LinkInvalid
        return user, ()
    if generation != user.generation or user.expired(now) or verified_user is not None:
        raise LinkInvalid
    verified = replace(user, verified_at=now)
    return verified, (verified_fact(verified),)


def check_mailable(user: User | None, *, generation: int, now: datetime) -> User:
    """Return the user whose verification link is about to be mailed.

    Raises:
        LinkInvalid: the link is used, superseded or expired, and must not be mailed.
    """
    if user is None or user.verified or user.generation != generation or user.expired(now):
        raise LinkInvalid
    return user


def may_resend(newest: User | None, *, verified_user: User | None, now: datetime) -> bool:
    """Return whether the newest unverified user of an address gets another link."""
    return verified_user is None and newest is not None and not newest.expired(now)


def resend(user: User) -> tuple[User, tuple[Fact, ...]]:
    """Ask for another verification link; the earlier ones stop working.

    A user who verified the address in the meantime stays as they are.
    """
    if user.verified:
        return user, ()
    asked = replace(user, generation=user.generation + 1)
    payload = UserVerificationResent(**payload_fields(asked), generation=asked.generation)
    return asked, (user_fact(asked, payload),)


def verified_fact(user: User) -> Fact:
    """Make the fact that the user verified the address."""
    return user_fact(user, UserVerified(**payload_fields(user)))
