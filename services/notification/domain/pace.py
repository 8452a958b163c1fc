"""Pace: how often members can have mails sent to one person, and which of them still matter (T14).

A change of a member, an override or an invitation is a mail to another person. Members who change
the same thing to and fro would flood that person. The first mails go out at once. A further one
waits, and a newer one about the same thing takes its place, so the last state always arrives.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.notification.domain.messages import MessageKind
from shared.ids import MessageId

PACE_WINDOW = timedelta(hours=1)
MAILS_ABOUT_ONE_THING = 3
"""Mails in a window from one account to one person about the same thing."""
MAILS_OF_A_TOPIC = 10
"""Mails in a window from one account to one person about all things of a topic."""
MAX_PLACES = 2 * MAILS_OF_A_TOPIC
"""Mails of a topic that went out in the window or wait; a further one is withheld. Without a bound
mails about ever new projects wait for days, and each makes the next one slower."""
NEWER_MAIL = "newer mail"
"""Why a mail that waited is withheld."""
MEMBERSHIP_ENDED = "membership ended"
"""Why a mail about a membership is withheld: the recipient is not a member any more."""
TOO_MANY = "too many mails wait"
"""Why a mail is withheld that would be one more than `MAX_PLACES`."""


class Topic(StrEnum):
    """What mails of one pace are about."""

    MEMBERSHIP = "membership"
    """The recipient's membership: that there is one, its role, its end and its suspension."""
    ACCOUNT = "account"
    """What ends or returns for all in the account, told to its owner and its members."""
    OVERRIDES = "overrides"
    """The recipient's overrides, each in its project."""
    RESOURCES = "resources"
    """Resources of another user that the recipient owns now."""
    SIGN_IN = "sign_in"
    """The ways in which people sign in to an account, and join it."""
    RECEIVERS = "receivers"
    """Webhooks and streams that were given up. Who manages one can have it given up again."""
    MEMBERS = "members"
    """Other members."""
    INVITATIONS = "invitations"
    """What became of invitations."""
    DIGEST = "digest"
    """The digest that takes further mails, of all topics."""
    OWNERSHIP = "ownership"
    """Who is offered the account, and what became of the offer. That it moved is told at once."""


TOPICS: Mapping[MessageKind, Topic] = {
    MessageKind.ADDED: Topic.MEMBERSHIP,
    MessageKind.ROLE_CHANGED: Topic.MEMBERSHIP,
    MessageKind.MEMBERSHIP_END: Topic.MEMBERSHIP,
    MessageKind.SUSPENDED: Topic.MEMBERSHIP,
    MessageKind.RESUMED: Topic.MEMBERSHIP,
    MessageKind.REMOVED: Topic.MEMBERSHIP,
    MessageKind.ACCOUNT_DELETED: Topic.ACCOUNT,
    MessageKind.ACCOUNT_RESTORED: Topic.ACCOUNT,
    MessageKind.ACCESS_ENDED: Topic.ACCOUNT,
    MessageKind.ACCESS_RESTORED: Topic.ACCOUNT,
    MessageKind.SECOND_FACTOR_DEMANDED: Topic.ACCOUNT,
    MessageKind.AUDIT_RETENTION: Topic.ACCOUNT,
    MessageKind.OVERRIDE_SET: Topic.OVERRIDES,
    MessageKind.OVERRIDE_REMOVED: Topic.OVERRIDES,
    MessageKind.RESOURCES_GIVEN: Topic.RESOURCES,
    MessageKind.SSO_CONNECTION: Topic.SIGN_IN,
    MessageKind.JOIN_REFUSED: Topic.SIGN_IN,
    MessageKind.WEBHOOK_DISABLED: Topic.RECEIVERS,
    MessageKind.LOG_STREAM_PAUSED: Topic.RECEIVERS,
    MessageKind.MEMBER_LEFT: Topic.MEMBERS,
    MessageKind.INVITATION_ACCEPTED: Topic.INVITATIONS,
    MessageKind.INVITATION_DECLINED: Topic.INVITATIONS,
    MessageKind.INVITATION_PASSED: Topic.INVITATIONS,
    MessageKind.INVITATION_BOUNCED: Topic.INVITATIONS,
    MessageKind.OWNERSHIP_OFFERED: Topic.OWNERSHIP,
    MessageKind.OWNERSHIP_DECLINED: Topic.OWNERSHIP,
    MessageKind.OWNERSHIP_CANCELLED: Topic.OWNERSHIP,
    MessageKind.OWNERSHIP_OFFER_ENDED: Topic.OWNERSHIP,
}
"""The mails that members cause to others, and an owner by deleting and restoring over and over. All
other mails have budgets where they are asked for."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One mail of a pace: what it is about, the place of its fact, and when it is due."""

    id: MessageId
    kind: MessageKind
    about: str
    seq: int
    due_at: datetime


def pace_key(account_id: str, recipient: str, topic: Topic) -> str:
    """Return the key of a pace: of fixed length, and without the address in it."""
    return hashlib.sha256(f"{account_id}\0{topic}\0{recipient}".encode()).hexdigest()


def current_places(places: Sequence[Place], *, now: datetime) -> list[Place]:
    """Give the places that count still."""
    return [place for place in places if place.due_at > now - PACE_WINDOW]


def waiting_place(places: Sequence[Place], *, about: str, now: datetime) -> Place | None:
    """Give the place of the mail about a thing that waits, if one does."""
    waiting = (place for place in places if place.about == about and place.due_at > now)
    return next(waiting, None)


def next_due(places: Sequence[Place], *, about: str, now: datetime) -> datetime:
    """Return the first moment at which one more mail is within both limits."""
    all_times = sorted(place.due_at for place in places)
    same_times = sorted(place.due_at for place in places if place.about == about)
    due = now
    for times, limit in ((same_times, MAILS_ABOUT_ONE_THING), (all_times, MAILS_OF_A_TOPIC)):
        if len(times) >= limit:
            due = max(due, times[-limit] + PACE_WINDOW)
    return due
