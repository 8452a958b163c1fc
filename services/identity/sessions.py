"""When does a session live, and which refresh token continues it?

A refresh token is derived from a key, the session and its `generation`, so none is stored. Each
use makes the next one; a token that comes back after its successor was used was stolen, or its
successor was: the session ends (RFC 9700, 4.14.2).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.facts import Fact, Payload, ResourceRef
from shared.contracts.identity import SessionEnded, SessionReuseDetected, SessionStarted
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, SessionObject
from shared.ids import AccountId, SessionId, UserId
from shared.problems import Refusal, RefusalKind

GRACE = timedelta(seconds=10)
"""Two tabs that refresh at once get the same successor, while nobody used it yet."""


class RefreshTokenInvalid(Refusal):
    """Not ours, used before, or of a session that ended: alike."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "refresh-token-invalid"
    detail = "This refresh token does not work, or no longer. Sign in again."


@dataclass(frozen=True, kw_only=True)
class UserSession:
    """A sign-in. `account_id` is its current account; `generation` that of its refresh token."""

    id: SessionId
    user_id: UserId
    account_id: AccountId
    started_at: datetime
    expires_at: datetime
    generation: int = 1
    rotated_at: datetime | None = None
    ended_at: datetime | None = None
    rev: int = 0

    def alive(self, now: datetime) -> bool:
        """Whether it may still act."""
        return self.ended_at is None and now < self.expires_at


class Turn(StrEnum):
    """What a refresh token that we made does to its session."""

    NEXT = "next"
    """It is the newest: its successor takes its place."""
    SAME = "same"
    """Its successor was made a moment ago and is unused: answer that one again."""
    REUSED = "reused"
    """Its successor was used, or time has passed: the session ends."""


def turn(session: UserSession, *, generation: int, now: datetime) -> Turn:
    """What the refresh token of this generation does.

    Raises:
        RefreshTokenInvalid: the session is over, or never had such a token.
    """
    if not session.alive(now) or generation > session.generation:
        raise RefreshTokenInvalid
    if generation == session.generation:
        return Turn.NEXT
    just_now = session.rotated_at is not None and now <= session.rotated_at + GRACE
    return Turn.SAME if generation == session.generation - 1 and just_now else Turn.REUSED


def rotate(session: UserSession, *, now: datetime, lifetime: timedelta) -> UserSession:
    """The session with its next refresh token."""
    return replace(
        session,
        generation=session.generation + 1,
        rotated_at=now,
        expires_at=now + lifetime,
    )


def started(session: UserSession) -> Fact:
    """Somebody signed in."""
    return _fact(session, SessionStarted(session_id=session.id, user_id=session.user_id))


def end(session: UserSession, *, now: datetime, rev: int) -> tuple[UserSession, Fact]:
    """The session ends: no replica of authz lets it act from now on."""
    ended = replace(session, ended_at=now, rev=rev)
    told = SessionEnded(session_id=session.id, user_id=session.user_id, ended_at=now)
    return ended, _fact(ended, told)


def end_reused(
    session: UserSession, *, email: str, name: str, now: datetime, rev: int
) -> tuple[UserSession, Fact]:
    """The session ends because an old refresh token came back; its user is told by mail."""
    ended = replace(session, ended_at=now, rev=rev)
    told = SessionReuseDetected(
        session_id=session.id, user_id=session.user_id, email=email, name=name, ended_at=now
    )
    return ended, _fact(ended, told)


def policy_object(session: UserSession) -> PolicyObject:
    """The ended session as authz knows it."""
    assert session.ended_at is not None, "a session that lives is no thing"  # noqa: S101
    state = SessionObject(user_id=session.user_id, ended_at=session.ended_at)
    return PolicyObject(
        kind=PolicyObjectKind.SESSION,
        id=session.id,
        rev=session.rev,
        state=state.model_dump(mode="json"),
    )


def _fact(session: UserSession, payload: Payload) -> Fact:
    return Fact(
        payload=payload,
        resource=ResourceRef(type="session", id=session.id),
        account_id=session.account_id,
        policy_objects=() if session.ended_at is None else (policy_object(session),),
    )
