"""Sessions: the result of a sign-in, how long a session lives, and what a refresh token does.

A refresh token is derived from a key, the session and its `generation`; no token is stored. Each
refresh makes the next token. A used token gives its successor again while that is unused, because
the answer with it may be lost. A used token that returns after its successor was used means that
one of the two was stolen: the session ends (RFC 9700, section 4.14.2).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.identity.domain.devices import Origin
from services.identity.domain.users import User
from shared.auth.step_up import require_fresh
from shared.contracts.facts import Fact, Outcome, Payload, ResourceRef
from shared.contracts.identity import (
    SessionEnded,
    SessionRefused,
    SessionReuseDetected,
    SessionStarted,
)
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, SessionObject
from shared.ids import AccountId, SessionId, UserId
from shared.problems import Refusal, RefusalKind

REPEAT_WINDOW = timedelta(hours=24)
"""How long a used refresh token gives its unused successor again."""


class WrongCredentials(Refusal):
    """The address is unknown or the password is wrong; both answer the same (`T9`)."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "wrong-credentials"
    detail = (
        "The e-mail address or the password is wrong, or the address is not verified yet. "
        "Reset the password, or open the link in the verification mail."
    )


class RefreshTokenInvalid(Refusal):
    """The refresh token is forged or used, or its session ended; the answer is the same."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "refresh-token-invalid"
    detail = "This refresh token is not valid any more. Sign in again."


class SignInAgain(Refusal):
    """The user has neither a second factor nor a password: only a sign-in proves who they are."""

    kind = RefusalKind.CONFLICT
    code = "sign-in-again"
    detail = (
        "You have neither a password nor a second factor to prove who you are. Sign in again: the"
        " new session counts as a proof for five minutes."
    )


@dataclass(frozen=True, kw_only=True)
class UserSession:
    """A sign-in: `account_id` is its current account, `generation` that of its refresh token.

    `device` is what signed in, and `network` where the newest refresh token was asked for. Sessions
    of earlier versions have neither.
    `proved_at` is when the user last proved in it who they are, by a sign-in or a step-up.
    """

    id: SessionId
    user_id: UserId
    account_id: AccountId
    started_at: datetime
    expires_at: datetime
    proved_at: datetime | None = None
    generation: int = 1
    rotated_at: datetime | None = None
    ended_at: datetime | None = None
    rev: int = 0
    device: str | None = None
    network: str | None = None

    @property
    def last_used_at(self) -> datetime:
        """The last sign-in or refresh: a user who is there refreshes every five minutes."""
        return self.rotated_at or self.started_at

    def active(self, now: datetime) -> bool:
        """Return whether the session may still act."""
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True, kw_only=True)
class SessionLifetime:
    """How long a session lives without a refresh (`idle`), and in all (`longest`)."""

    idle: timedelta
    longest: timedelta

    def end(self, started_at: datetime, *, now: datetime) -> datetime:
        """The end of a session that is used now."""
        return min(now + self.idle, started_at + self.longest)


class RefreshOutcome(StrEnum):
    """What a genuine refresh token does to its session."""

    ROTATE = "rotate"
    """It is the newest token: its successor replaces it."""
    REPEAT = "repeat"
    """Its successor was made within `REPEAT_WINDOW` and is unused: answer the same successor."""
    REUSE = "reuse"
    """Its successor was used or is older than `REPEAT_WINDOW`: the session ends."""


def sign_in_refused(user: User, code: str) -> Fact:
    """Make the fact that a sign-in or sign-up with the user's address was refused, and why."""
    return Fact(
        payload=SessionRefused(user_id=user.id, code=code),
        resource=ResourceRef(type="user", id=user.id, name=user.name),
        account_id=user.account_id,
        outcome=Outcome.DENIED,
        reason=code,
    )


def start(
    user: User,
    *,
    session_id: SessionId,
    now: datetime,
    lifetime: SessionLifetime,
    origin: Origin,
) -> UserSession:
    """Start a session of a user in the personal account."""
    return UserSession(
        id=session_id,
        user_id=user.id,
        account_id=user.account_id,
        started_at=now,
        expires_at=lifetime.end(now, now=now),
        device=origin.device,
        network=origin.network,
        proved_at=now,
    )


def last_proof(session: UserSession) -> datetime:
    """Return when the user last proved who they are; sessions of earlier versions began so."""
    return session.proved_at or session.started_at


def require_proof(session: UserSession, *, now: datetime) -> None:
    """Check that the user proved a short time ago who they are.

    Raises:
        StepUpRequired: it is too long ago.
    """
    require_fresh(last_proof(session), now=now)


def classify_refresh(session: UserSession, *, generation: int, now: datetime) -> RefreshOutcome:
    """Say what the refresh token of this generation does (B1).

    Raises:
        RefreshTokenInvalid: the session ended or expired, or never had such a token.
    """
    if not session.active(now) or generation > session.generation:
        raise RefreshTokenInvalid
    if generation == session.generation:
        return RefreshOutcome.ROTATE
    may_repeat = session.rotated_at is not None and now <= session.rotated_at + REPEAT_WINDOW
    if generation == session.generation - 1 and may_repeat:
        return RefreshOutcome.REPEAT
    return RefreshOutcome.REUSE


def rotate(
    session: UserSession, *, now: datetime, lifetime: SessionLifetime, network: str
) -> UserSession:
    """Replace the refresh token of a session; the session lives on from now.

    Raises:
        RefreshTokenInvalid: the session has lived for as long as one may.
    """
    expires_at = lifetime.end(session.started_at, now=now)
    if expires_at <= now:
        raise RefreshTokenInvalid
    return replace(
        session,
        generation=session.generation + 1,
        rotated_at=now,
        expires_at=expires_at,
        network=network,
    )


def started(
    session: UserSession,
    *,
    told: User | None = None,
    place: str | None = None,
    connection_id: str | None = None,
) -> Fact:
    """Make the fact that a user signed in; `told` gets a mail because the device is new.

    `connection_id` names the issuer, if the user did not sign in here.
    """
    payload = SessionStarted(
        session_id=session.id,
        user_id=session.user_id,
        device=session.device or "",
        network=session.network or "",
        place=place or "",
        email="" if told is None else told.email,
        name="" if told is None else told.name,
        new_device=told is not None,
        connection_id=connection_id,
    )
    return _fact(session, payload)


def end(session: UserSession, *, now: datetime, rev: int) -> tuple[UserSession, Fact]:
    """End a session; no replica of authz allows it anything once the fact is applied."""
    ended = replace(session, ended_at=now, rev=rev)
    payload = SessionEnded(session_id=session.id, user_id=session.user_id, ended_at=now)
    return ended, _fact(ended, payload)


def end_reused(
    session: UserSession, *, user: User, now: datetime, rev: int
) -> tuple[UserSession, Fact]:
    """End a session because an old refresh token returned; a mail tells its user."""
    ended = replace(session, ended_at=now, rev=rev)
    payload = SessionReuseDetected(
        session_id=session.id,
        user_id=session.user_id,
        email=user.email,
        name=user.name,
        ended_at=now,
    )
    return ended, _fact(ended, payload)


def ended_by_role_change(session: UserSession, *, changed_at: datetime) -> bool:
    """Return whether a role change ends this session: it started before the change (Nv16)."""
    return session.started_at <= changed_at


def policy_object(session: UserSession) -> PolicyObject:
    """Return the ended session as authz knows it."""
    assert session.ended_at is not None, "authz does not know active sessions"  # noqa: S101
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
