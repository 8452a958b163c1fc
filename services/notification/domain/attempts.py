"""Attempts to send: what each result means for the message, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.notification.domain.messages import Message, MessageStatus

GIVE_UP_AFTER = timedelta(days=3)
"""How long a message is tried after its fact; a later mail would only confuse its reader."""
UNREACHABLE_PAUSES_SECONDS: tuple[int, ...] = (1, 5, 30, 60, 300, 900, 3600)
"""Pauses after attempts in which no mail was handed over.

The first are short because a mail server that restarts is back in seconds. The later ones are long
because an outage must not end in a flood of connections.
"""
LINK_UNAVAILABLE_PAUSES_SECONDS: tuple[int, ...] = (1, 2, 5)
"""Pauses after attempts in which the link's owner did not answer.

The owner is a service of this platform and cheap to ask. A person who waits for the link must not
wait longer because the owner restarted.
"""
POSTPONED_PAUSES_SECONDS: tuple[int, ...] = (3600,)
"""Pauses after attempts for which the mailbox had its mails of the day already."""
DEFERRED_PAUSES_SECONDS: tuple[int, ...] = (60, 300, 900, 3600)
"""Pauses after attempts that the mail server deferred (4xx), or whose result is not known."""
MAX_JITTER = 0.2
"""The part of a pause that is added to it at most."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The mail server accepted the mail."""

    reply: str


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """The mail server cannot be used for any mail at the moment, so nothing was sent."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class LinkUnavailable:
    """The owner of the link did not answer, so there is no mail yet."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Postponed:
    """The owner of the link gave none yet: the recipient's mailbox had its mails of the day."""

    reason: str = "mailbox budget"


@dataclass(frozen=True, kw_only=True)
class Failed:
    """An error of this service prevented the mail; another version may succeed."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Deferred:
    """The mail server asked to try later, or did not reply after it had the mail."""

    reply: str


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """The mail server, or our own check of the address, refused this mail permanently."""

    reply: str


@dataclass(frozen=True, kw_only=True)
class Withdrawn:
    """The link is no longer valid: nothing was sent, and nothing will be."""


AttemptResult = (
    Sent | Unreachable | LinkUnavailable | Postponed | Failed | Deferred | Rejected | Withdrawn
)


class SmtpStep(StrEnum):
    """The step of an SMTP session that the mail server replied to."""

    SESSION = "session"
    """The greeting, EHLO, STARTTLS and AUTH."""
    SENDER = "sender"
    """MAIL FROM."""
    RECIPIENT = "recipient"
    """RCPT TO."""
    DATA = "data"
    """DATA and the mail's bytes."""


CONFIGURATION_CODES = frozenset({500, 502, 503, 504, 523, 525, 530, 534, 535, 538})
"""Replies about this service's own configuration, not about the recipient.

500, 502, 503, 504: a command that the server does not know, expects or accepts in this form
(RFC 5321). 530: a sign-in or STARTTLS is needed (RFC 4954, RFC 3207). 534, 535, 538: the sign-in
was refused (RFC 4954). 523, 525: encryption is needed, the account is disabled (RFC 5248).
"""
MAIL_TOO_LARGE = 552
"""The one permanent reply to MAIL FROM that is about this mail (RFC 1870)."""


def result_of_refusal(step: SmtpStep, code: int, reply: str) -> AttemptResult:
    """Decide what a refusing reply of the mail server means for the message.

    A refusal of our sign-in, our sender or our commands says nothing about the recipient. The
    message then waits until the configuration is corrected.
    """
    if step is SmtpStep.SESSION or code in CONFIGURATION_CODES:
        return Unreachable(reason=reply)
    if code < 500:
        return Deferred(reply=reply)
    if step is SmtpStep.SENDER and code != MAIL_TOO_LARGE:
        return Unreachable(reason=reply)
    return Rejected(reply=reply)


def status_or_retry(
    message: Message, result: AttemptResult, *, now: datetime, jitter: float
) -> MessageStatus | datetime:
    """Give the final status of the message, or the moment of the next attempt.

    `jitter` (0 to 1) makes the pause longer by up to a fifth. Without it every waiting message
    would reach a returning mail server at the same moment.
    """
    match result:
        case Sent():
            return MessageStatus.SENT
        case Rejected():
            return MessageStatus.BOUNCED
        case Withdrawn():
            return MessageStatus.WITHDRAWN
        case Unreachable() | Failed():
            pauses, count = UNREACHABLE_PAUSES_SECONDS, message.attempts - message.deferrals
        case LinkUnavailable():
            pauses, count = LINK_UNAVAILABLE_PAUSES_SECONDS, message.attempts - message.deferrals
        case Postponed():
            pauses, count = POSTPONED_PAUSES_SECONDS, 0
        case Deferred():
            pauses, count = DEFERRED_PAUSES_SECONDS, message.deferrals
    pause = pauses[min(count, len(pauses) - 1)] * (1 + MAX_JITTER * jitter)
    retry_at = now + timedelta(seconds=pause)
    if retry_at < message.created_at + GIVE_UP_AFTER:
        return retry_at
    return MessageStatus.WITHHELD if isinstance(result, Postponed) else MessageStatus.BOUNCED


def reply_of(result: AttemptResult) -> str | None:
    """The reply or reason that is kept of an attempt."""
    match result:
        case Sent(reply=reply) | Deferred(reply=reply) | Rejected(reply=reply):
            return reply
        case (
            Unreachable(reason=reason)
            | LinkUnavailable(reason=reason)
            | Postponed(reason=reason)
            | Failed(reason=reason)
        ):
            return reason
        case Withdrawn():
            return None
