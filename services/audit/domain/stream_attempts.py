"""What follows from an attempt to send a batch of a stream."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.audit.domain.streams import LogStream, PausedBecause, as_new
from services.audit.domain.tails import TailPlace
from shared.receivers.attempts import (
    GONE,
    MAX_JITTER,
    ReceiverAttempt,
    asked_pause,
    has_failed_for_days,
)

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
"""The pauses after failed attempts: each twice as long as the one before."""
MAX_SHOWN_ANSWER = 200
SECRET_PART = 6
"""An answer with a part of this length repeats the secret."""


def taken(stream: LogStream, place: TailPlace, *, now: datetime) -> LogStream:
    """The stream after its receiver has taken all records up to a place."""
    return as_new(replace(stream, size=place.size, last=place.last, sent_at=now))


def failed(
    stream: LogStream, attempt: ReceiverAttempt, *, now: datetime, jitter: float
) -> LogStream:
    """The stream after an attempt that did not succeed; `jitter` is from 0 to 1."""
    doubled = FIRST_PAUSE * 2 ** min(stream.tries, 16)
    pause = min(doubled, LONGEST_PAUSE) * (1 + MAX_JITTER * jitter)
    return replace(
        stream,
        tries=stream.tries + 1,
        due_at=now + max(pause, asked_pause(attempt)),
        failing_since=stream.failing_since or attempt.at,
        problem=problem_of(attempt),
    )


def reason_to_pause(stream: LogStream, attempt: ReceiverAttempt) -> PausedBecause | None:
    """Return why a stream is paused after a failed attempt, if it is."""
    if attempt.status == GONE:
        return PausedBecause.GONE
    if has_failed_for_days(stream.failing_since, now=attempt.at):
        return PausedBecause.FAILING
    return None


def without_secret(attempt: ReceiverAttempt, secret: str) -> ReceiverAttempt:
    """The attempt without an answer that repeats a part of the secret, which no reader may see."""
    length = min(len(secret), SECRET_PART)
    parts = (secret[start : start + length] for start in range(len(secret) - length + 1))
    return replace(attempt, answer="") if any(part in attempt.answer for part in parts) else attempt


def problem_of(attempt: ReceiverAttempt) -> str | None:
    """Say in words why an attempt did not succeed; `None` if it did."""
    if attempt.succeeded:
        return None
    if attempt.status is None:
        return attempt.error or "There was no answer."
    answered = attempt.answer.strip()[:MAX_SHOWN_ANSWER]
    said = f" and said: {answered}" if answered else "."
    return f"The receiver answered {attempt.status}{said}"
