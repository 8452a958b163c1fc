"""Verification of an e-mail address: which link works, and what follows from it (B1)."""

from dataclasses import replace
from datetime import datetime

from services.identity.domain.mailed_links import REPEAT_WINDOW, LinkInvalid
from services.identity.domain.sessions import UserSession
from services.identity.domain.sign_up import PendingSignUp


def check_link(pending: PendingSignUp | None, *, generation: int, now: datetime) -> PendingSignUp:
    """Give the sign-up that a link may complete, or has completed just now.

    Raises:
        LinkInvalid: the link is superseded or expired, or was used more than a minute ago.
    """
    if pending is None or pending.generation != generation:
        raise LinkInvalid
    in_window = pending.used_at is not None and now <= pending.used_at + REPEAT_WINDOW
    if not in_window and not pending.waits(now):
        raise LinkInvalid
    return pending


def check_mailable(
    pending: PendingSignUp | None, *, generation: int, now: datetime
) -> PendingSignUp:
    """Give the sign-up whose link is about to be mailed.

    Raises:
        LinkInvalid: the link is used, superseded or expired, and must not be mailed.
    """
    pending = check_link(pending, generation=generation, now=now)
    if pending.used_at is not None:
        raise LinkInvalid
    return pending


def use(pending: PendingSignUp, session: UserSession, *, now: datetime) -> PendingSignUp:
    """Use up the link of a sign-up; it has started this session."""
    return replace(pending, used_at=now, session_id=session.id)


def repeated(session: UserSession | None, *, now: datetime) -> UserSession:
    """Give the session of a link that was used just now, for the same request again.

    Raises:
        LinkInvalid: the session has ended or was refreshed. A link brings back nothing that its
            user ended, and no refresh token that its user has replaced.
    """
    if session is None or not session.active(now) or session.rotated_at is not None:
        raise LinkInvalid
    return session
