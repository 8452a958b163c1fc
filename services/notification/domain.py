"""Who is told of which fact, and what follows from an attempt to send?"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.contracts import identity, team
from shared.contracts.facts import Caller, Payload, Row
from shared.contracts.registry import payload_of
from shared.ids import MessageId

KEEPS_TRYING = timedelta(days=3)
"""How long a message is tried; whoever waits for a mail has given up by then."""
UNREACHABLE_PAUSES: tuple[int, ...] = (1, 5, 30, 60, 300, 900, 3600)
"""Seconds after attempts that no mail server answered: a restart of it shall cost seconds, an
outage must not be hammered."""
UNLINKED_PAUSES: tuple[int, ...] = (1, 2, 5)
"""Seconds after attempts that the link's owner did not answer: that is a service of ours, cheap to
ask, and whoever waits for the link shall not pay for its restarts later."""
DEFERRED_PAUSES: tuple[int, ...] = (60, 300, 900, 3600)
"""Seconds after attempts that the mail server put off (4xx), or left us unsure about."""


class Kind(StrEnum):
    """What a message is about: the name of its template."""

    VERIFY_EMAIL = "verify_email"
    INVITATION = "invitation"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_DECLINED = "invitation_declined"
    ROLE_CHANGED = "role_changed"
    REMOVED = "removed"
    OVERRIDE_SET = "override_set"
    OVERRIDE_REMOVED = "override_removed"
    SIGNED_OUT = "signed_out"


class Status(StrEnum):
    """How far a message is."""

    QUEUED = "queued"
    SENDING = "sending"
    """Claimed; past its lease this means that it may or may not have been sent."""
    SENT = "sent"
    BOUNCED = "bounced"
    WITHDRAWN = "withdrawn"
    """Its link was used, revoked or superseded before it went out: nobody needs it any more."""


@dataclass(frozen=True, kw_only=True)
class LinkName:
    """Names a link that only its owner can make, and only now (no secret is ever kept here)."""

    owner: str
    kind: str
    id: str
    generation: int


@dataclass(frozen=True, kw_only=True)
class Link:
    """What the owner answered: never stored, never logged."""

    url: str
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """One mail to one person because of one fact."""

    id: MessageId
    kind: Kind
    recipient: str
    account_id: str | None
    caller: Caller
    created_at: datetime
    words: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    link: LinkName | None = None
    attempts: int = 0
    deferrals: int = 0


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The mail server took the mail."""

    reply: str


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """Nobody answered, so nothing was sent."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Unlinked:
    """The owner of the link did not answer, so there is no mail yet."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A fault of ours stood in the way; another version of this service may do better."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Deferred:
    """The mail server said "later", or fell silent after it had the mail."""

    reply: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The mail server (or our own check of the address) said "never"."""

    reply: str


@dataclass(frozen=True, kw_only=True)
class Withdrawn:
    """The link is dead: nothing was sent, and nothing shall be."""


Attempt = Sent | Unreachable | Unlinked | Failed | Deferred | Refused | Withdrawn


def outcome(
    message: Message, attempt: Attempt, *, now: datetime, jitter: float
) -> Status | datetime:
    """The final status that an attempt gives, or when to try again.

    `jitter` in 0..1 spreads the pauses by up to a fifth, so that a mail server that returns does
    not meet everybody at once.
    """
    match attempt:
        case Sent():
            return Status.SENT
        case Refused():
            return Status.BOUNCED
        case Withdrawn():
            return Status.WITHDRAWN
        case Unreachable() | Failed():
            pauses, count = UNREACHABLE_PAUSES, message.attempts - message.deferrals
        case Unlinked():
            pauses, count = UNLINKED_PAUSES, message.attempts - message.deferrals
        case Deferred():
            pauses, count = DEFERRED_PAUSES, message.deferrals
    again = now + timedelta(seconds=pauses[min(count, len(pauses) - 1)] * (1 + 0.2 * jitter))
    return again if again < message.created_at + KEEPS_TRYING else Status.BOUNCED


def message_id(fact_id: str, kind: Kind, recipient: str) -> MessageId:
    """The message's id, always the same for the same fact, kind and recipient.

    It sorts by the fact's time: a UUIDv8 (RFC 9562) of the fact's milliseconds and a digest.
    """
    milliseconds = fact_id.removeprefix("evt_")[:12]
    digest = hashlib.sha256(f"{fact_id}\n{kind}\n{recipient}".encode()).hexdigest()
    return MessageId(f"msg_{milliseconds}8{digest[:3]}8{digest[3:18]}")


def messages_of(row: Row, *, caller: Caller, now: datetime) -> tuple[Message, ...]:
    """The messages that follow from a fact; none for most facts."""
    tell = TOLD.get(row.type)
    payload = payload_of(row)
    if tell is None or payload is None:
        return ()
    told = tell(payload, row)
    if told is None:
        return ()
    return (
        Message(
            id=message_id(row.id, told.kind, told.to),
            kind=told.kind,
            recipient=told.to,
            account_id=row.account_id,
            caller=caller,
            created_at=now,
            words=told.words,
            expires_at=told.expires_at,
            link=told.link,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Told:
    kind: Kind
    to: str
    words: Mapping[str, str]
    expires_at: datetime | None = None
    link: LinkName | None = None


def _verify(fact: Any, row: Row) -> _Told | None:
    if isinstance(fact, identity.UserSignedUp) and fact.verified:
        return None
    return _Told(
        kind=Kind.VERIFY_EMAIL,
        to=fact.email,
        words={"name": fact.name},
        link=LinkName(
            owner="identity", kind="verification", id=fact.user_id, generation=fact.generation
        ),
    )


def _signed_out(fact: identity.SessionReuseDetected, row: Row) -> _Told:
    return _Told(kind=Kind.SIGNED_OUT, to=fact.email, words={"name": fact.name})


def _invited(fact: team.InvitationCreated | team.InvitationResent, row: Row) -> _Told | None:
    if fact.delivery != "email":
        return None
    return _Told(
        kind=Kind.INVITATION,
        to=fact.email,
        words={
            "account": fact.account_name,
            "inviter": fact.inviter_name,
            "role": fact.role_title,
            "email": fact.email,
        },
        expires_at=fact.expires_at,
        link=LinkName(
            owner="team", kind="invitation", id=fact.invitation_id, generation=fact.generation
        ),
    )


def _accepted(fact: team.InvitationAccepted, row: Row) -> _Told:
    return _Told(
        kind=Kind.INVITATION_ACCEPTED,
        to=fact.inviter_email,
        words={
            "account": fact.account_name,
            "member": fact.name,
            "email": fact.email,
            "role": fact.role_title or fact.role,
        },
    )


def _declined(fact: team.InvitationDeclined, row: Row) -> _Told:
    return _Told(
        kind=Kind.INVITATION_DECLINED,
        to=fact.inviter_email,
        words={"account": fact.account_name, "email": fact.email},
    )


def _role_changed(fact: team.MemberRoleChanged, row: Row) -> _Told:
    return _Told(
        kind=Kind.ROLE_CHANGED,
        to=fact.email,
        words={
            "account": fact.account_name,
            "name": fact.name,
            "role": fact.role_title,
            "signs_in_again": "yes" if fact.ends_sessions else "",
        }
        | _actor(row),
    )


def _removed(fact: team.MemberRemoved, row: Row) -> _Told:
    return _Told(
        kind=Kind.REMOVED,
        to=fact.email,
        words={"account": fact.account_name, "name": fact.name} | _actor(row),
    )


def _override_set(fact: team.OverrideSet, row: Row) -> _Told:
    return _Told(
        kind=Kind.OVERRIDE_SET,
        to=fact.email,
        words={"account": fact.account_name, "project": fact.project_name} | _actor(row),
        expires_at=fact.expires_at,
    )


def _override_removed(fact: team.OverrideRemoved, row: Row) -> _Told:
    return _Told(
        kind=Kind.OVERRIDE_REMOVED,
        to=fact.email,
        words={"account": fact.account_name, "project": fact.project_name} | _actor(row),
    )


def _actor(row: Row) -> dict[str, str]:
    return {"actor": row.actor.name or ""}


def _table(
    *rows: tuple[type[Payload], Callable[[Any, Row], _Told | None]],
) -> dict[str, Callable[[Any, Row], _Told | None]]:
    return {payload.type: tell for payload, tell in rows}


TOLD = _table(
    (identity.UserSignedUp, _verify),
    (identity.UserVerificationResent, _verify),
    (identity.SessionReuseDetected, _signed_out),
    (team.InvitationCreated, _invited),
    (team.InvitationResent, _invited),
    (team.InvitationAccepted, _accepted),
    (team.InvitationDeclined, _declined),
    (team.MemberRoleChanged, _role_changed),
    (team.MemberRemoved, _removed),
    (team.OverrideSet, _override_set),
    (team.OverrideRemoved, _override_removed),
)
"""Fact type → who is told of it, and with which words (Ro15, Ci1, Nv14)."""
