"""Mailed links: when a repeated request gets the same link, and the refusal of a dead one."""

from datetime import datetime, timedelta
from enum import StrEnum

from shared.problems import Refusal, RefusalKind

REPEAT_WINDOW = timedelta(minutes=1)
"""A used link answers the same request again for this time: the first answer may have been lost."""


class MailedLinkKind(StrEnum):
    """What a mailed link is for."""

    VERIFICATION = "verification"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - the name of a kind
    NEW_ADDRESS = "new-address"
    FORMER_ADDRESS = "former-address"
    SECOND_FACTOR = "second-factor"


class LinkStatus(StrEnum):
    """How far a link is."""

    OPEN = "open"
    """It works."""
    DONE = "done"
    """It has done its work, which is still in force."""


class LinkInvalid(Refusal):
    """The link is forged, used, superseded or expired; the answer is the same for each."""

    kind = RefusalKind.GONE
    code = "link-invalid"
    detail = "This link is not valid any more. It may have been used already. Ask for a new one."


def link_to_mail(
    generation: int, made_at: datetime | None, *, now: datetime, young_for: timedelta
) -> tuple[int, datetime]:
    """Give generation and start of the link that a request has mailed.

    While the newest link is young, a repeated request mails it again: each of its mails works.
    Later, or if there is no link (`made_at` is `None`), there is a new one, and only it works.
    """
    if made_at is not None and now < made_at + young_for:
        return generation, made_at
    return generation + 1, now
