"""The result of each attempt to send, and the schedule of retries, as tables."""

from datetime import datetime, timedelta

import pytest

from services.notification.domain.attempts import (
    GIVE_UP_AFTER,
    Deferred,
    Failed,
    LinkUnavailable,
    Postponed,
    Rejected,
    Sent,
    SmtpStep,
    Unreachable,
    Withdrawn,
    reply_of,
    result_of_refusal,
    status_or_retry,
)
from services.notification.domain.messages import Message, MessageKind, MessageStatus, message_id
from shared.contracts.facts import Actor, Caller, RequestInfo
from tests.services.rows import NOON

SESSION, SENDER, RECIPIENT, DATA = SmtpStep
TRANSACTION = (SENDER, RECIPIENT, DATA)

REPLIES: list[tuple[SmtpStep, int, type]] = [
    # A session that cannot be opened says nothing about the recipient.
    *[(SESSION, code, Unreachable) for code in (421, 432, 450, 454, 501, 521, 550, 554)],
    # Temporary replies.
    *[
        (step, code, Deferred)
        for step in TRANSACTION
        for code in (421, 432, 450, 451, 452, 454, 455, 499)
    ],
    # Our commands, our sign-in, our encryption, our account at the mail server.
    *[
        (step, code, Unreachable)
        for step in SmtpStep
        for code in (500, 502, 503, 504, 523, 525, 530, 534, 535, 538)
    ],
    # Our sender address; 552 to MAIL FROM is about the size of this mail (RFC 1870).
    *[(SENDER, code, Unreachable) for code in (501, 550, 551, 553, 554, 555)],
    (SENDER, 552, Rejected),
    # The recipient's address, or this mail.
    *[
        (step, code, Rejected)
        for step in (RECIPIENT, DATA)
        for code in (501, 521, 541, 550, 551, 552, 553, 554, 555, 556, 571)
    ],
]


@pytest.mark.parametrize(
    ("step", "code", "result"), REPLIES, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_a_refusing_reply_has_one_meaning_for_each_step(step, code, result):
    refused = result_of_refusal(step, code, f"{code} text")
    assert type(refused) is result
    assert reply_of(refused) == f"{code} text"


def waiting(*, attempts=0, deferrals=0):
    return Message(
        id=message_id("evt_0190b5d2f0c87a3fb1e2c3d4e5f60718", MessageKind.REMOVED, "bo@x.example"),
        kind=MessageKind.REMOVED,
        recipient="bo@x.example",
        account_id="acc_1",
        caller=Caller(
            actor=Actor(type="service", id="notification"), request=RequestInfo(request_id="r")
        ),
        created_at=NOON,
        attempts=attempts,
        deferrals=deferrals,
    )


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Sent(reply="250 taken"), MessageStatus.SENT),
        (Rejected(reply="550 no such user"), MessageStatus.BOUNCED),
        (Withdrawn(), MessageStatus.WITHDRAWN),
    ],
)
def test_some_results_are_final(result, status):
    assert status_or_retry(waiting(), result, now=NOON, jitter=0.0) is status


@pytest.mark.parametrize(
    ("attempts", "deferrals", "result", "seconds"),
    [
        (0, 0, Unreachable(reason="refused"), 1),
        (1, 0, Unreachable(reason="refused"), 5),
        (2, 0, Unreachable(reason="refused"), 30),
        (3, 0, Unreachable(reason="refused"), 60),
        (4, 0, Unreachable(reason="refused"), 300),
        (5, 0, Unreachable(reason="refused"), 900),
        (6, 0, Unreachable(reason="refused"), 3600),
        (50, 0, Unreachable(reason="refused"), 3600),
        (0, 0, LinkUnavailable(reason="unavailable"), 1),
        (1, 0, LinkUnavailable(reason="unavailable"), 2),
        (2, 0, LinkUnavailable(reason="unavailable"), 5),
        (50, 0, LinkUnavailable(reason="a service of ours that keeps restarting"), 5),
        (0, 0, Postponed(reason="unavailable"), 3600),
        (50, 40, Postponed(reason="unavailable"), 3600),
        (0, 0, Failed(reason="internal error"), 1),
        (50, 0, Failed(reason="internal error"), 3600),
        (0, 0, Deferred(reply="451 later"), 60),
        (1, 1, Deferred(reply="451 later"), 300),
        (2, 2, Deferred(reply="451 later"), 900),
        (3, 3, Deferred(reply="451 later"), 3600),
        (9, 9, Deferred(reply="451 later"), 3600),
        (5, 0, Deferred(reply="a mail server that is back may defer"), 60),
        (3, 3, Unreachable(reason="a mail server that deferred restarts"), 1),
    ],
)
def test_the_pauses_between_attempts_follow_the_schedule(attempts, deferrals, result, seconds):
    message = waiting(attempts=attempts, deferrals=deferrals)
    retry_at = status_or_retry(message, result, now=NOON, jitter=0.0)
    assert retry_at == NOON + timedelta(seconds=seconds)


def test_jitter_makes_a_pause_longer_by_a_fifth_at_most():
    retry_at = status_or_retry(waiting(), Deferred(reply="451 later"), now=NOON, jitter=1.0)
    assert retry_at == NOON + timedelta(seconds=72)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Deferred(reply="451 later"), MessageStatus.BOUNCED),
        (Unreachable(reason="refused"), MessageStatus.BOUNCED),
        (LinkUnavailable(reason="unavailable"), MessageStatus.BOUNCED),
        (Postponed(reason="unavailable"), MessageStatus.WITHHELD),
        (Failed(reason="internal error"), MessageStatus.BOUNCED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_is_given_up_when_the_next_attempt_is_after_three_days(result, status):
    message = waiting(attempts=90, deferrals=40)
    last = NOON + GIVE_UP_AFTER
    early = last - timedelta(hours=2)
    assert status_or_retry(message, result, now=last, jitter=0.0) is status
    retry_at = status_or_retry(message, result, now=early, jitter=0.0)
    assert isinstance(retry_at, datetime)
    assert early < retry_at < last


@pytest.mark.parametrize(
    ("result", "reply"),
    [
        (Sent(reply="250 taken"), "250 taken"),
        (Deferred(reply="451 later"), "451 later"),
        (Rejected(reply="550 no"), "550 no"),
        (Unreachable(reason="refused"), "refused"),
        (LinkUnavailable(reason="no link"), "no link"),
        (Postponed(reason="no link"), "no link"),
        (Failed(reason="internal error"), "internal error"),
        (Withdrawn(), None),
    ],
)
def test_the_reply_or_reason_of_every_result_is_kept(result, reply):
    assert reply_of(result) == reply
