"""Digests: one mail in place of many about what happened to one person in one account.

The first mails of a topic go out at once. A further one that its recipient could switch off waits a
short time for others, and they are told together. Mails about security, about the end of an access
and those that ask for an answer are in no digest.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notification.domain.messages import Message, MessageKind, message_id
from services.notification.domain.pace import TOPICS, Place
from services.notification.domain.preferences import OPTIONAL_KINDS
from shared.ids import MessageId

SINGLE_MAILS = 3
"""Mails of a topic in an hour, from one account to one person, that are not in a digest."""
DIGEST_WAIT = timedelta(minutes=15)
"""How long the first mail of a digest waits for others."""
MAX_LISTED = 20
"""The mails that a digest lists, the newest; it counts the others."""
DIGESTED_KINDS = OPTIONAL_KINDS & TOPICS.keys()
TOLD_TOGETHER = "told in a digest"
"""Why a mail is withheld that a digest lists or counts."""


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What a digest tells: the mails that it lists, and how many more there were."""

    listed: Sequence[Message]
    more: int = 0

    @property
    def single(self) -> bool:
        """Whether it tells one thing alone, which then has a mail of the usual form."""
        return len(self.listed) == 1 and not self.more

    @property
    def kinds(self) -> Sequence[MessageKind]:
        """The kinds of what is listed, each once, in their order."""
        return tuple(Counter(each.kind for each in self.listed))


def may_be_digested(message: Message) -> bool:
    """Whether a mail may wait for others: one to a user, who could switch it off."""
    return message.kind in DIGESTED_KINDS and message.user_id is not None


def digest_due(places: Sequence[Place], *, now: datetime) -> datetime:
    """Return when a mail is due that may be in a digest: at once, or with the others."""
    return now if len(places) < SINGLE_MAILS else now + DIGEST_WAIT


def digest_of(first: Message) -> Message:
    """The message of the digest whose first mail this is; the same mail always gives the same."""
    fact_id = first.id.removeprefix("msg_")
    return replace(
        first,
        id=message_id(fact_id, MessageKind.DIGEST, first.recipient),
        kind=MessageKind.DIGEST,
        words={name: first.words.get(name, "") for name in ("account", "name")},
        expires_at=None,
        about=None,
    )


def newest_of(wanted: Sequence[Message], *, more: int) -> Digest:
    """What a digest tells of these mails: the newest, and the number of all others.

    `more` counts those that do not wait any more.
    """
    listed = wanted[-MAX_LISTED:]
    return Digest(listed=listed, more=more + len(wanted) - len(listed))


def open_place(digest_id: MessageId, *, due_at: datetime) -> Place:
    """The place of a digest that takes further mails."""
    return Place(id=digest_id, kind=MessageKind.DIGEST, about="", seq=0, due_at=due_at)
