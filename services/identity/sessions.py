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
from shared.contracts.things import Kind as ThingKind
from shared.contracts.things import SessionState, Thing
from shared.ids import AccountId, SessionId, UserId
from shared.problems import Kind, Refusal

GRACE = timedelta(seconds=10)
"""Two tabs that refresh at once get the same successor, while nobody used it yet."""


class RefreshTokenInvalid(Refusal):
    """Not ours, used before, or of a session that ended: alike."""

    kind = Kind.UNAUTHENTICATED
    code = "refresh-token-invalid"
    detail = "This refresh token does not work, or no longer. Sign in again."


@dataclass(frozen=True, kw_only=True)
class Session:
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


def turn(session: Session, *, generation: int, now: datetime) -> Turn:
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


def rotate(session: Session, *, now: datetime, lifetime: timedelta) -> Session:
    """The session with its next refresh token."""
    return replace(
        session,
        generation=session.generation + 1,
        rotated_at=now,
        expires_at=now + lifetime,
    )


def started(session: Session) -> Fact:
    """Somebody signed in."""
    return _fact(session, SessionStarted(session_id=session.id, user_id=session.user_id))


def end(session: Session, *, now: datetime, rev: int) -> tuple[Session, Fact]:
    """The session ends: no replica of authz lets it act from now on."""
    ended = replace(session, ended_at=now, rev=rev)
    told = SessionEnded(session_id=session.id, user_id=session.user_id, ended_at=now)
    return ended, _fact(ended, told)


def end_reused(
    session: Session, *, email: str, name: str, now: datetime, rev: int
) -> tuple[Session, Fact]:
    """The session ends because an old refresh token came back; its user is told by mail."""
    ended = replace(session, ended_at=now, rev=rev)
    told = SessionReuseDetected(
        session_id=session.id, user_id=session.user_id, email=email, name=name, ended_at=now
    )
    return ended, _fact(ended, told)


def thing(session: Session) -> Thing:
    """The ended session as authz knows it."""
    assert session.ended_at is not None, "a session that lives is no thing"  # noqa: S101
    state = SessionState(user_id=session.user_id, ended_at=session.ended_at)
    return Thing(
        kind=ThingKind.SESSION,
        id=session.id,
        rev=session.rev,
        state=state.model_dump(mode="json"),
    )


def _fact(session: Session, payload: Payload) -> Fact:
    return Fact(
        payload=payload,
        resource=ResourceRef(type="session", id=session.id),
        account_id=session.account_id,
        things=() if session.ended_at is None else (thing(session),),
    )
