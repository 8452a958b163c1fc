"""The rules of streams: what a batch holds, and when a failed one is tried again."""

from datetime import timedelta

import pytest

from services.audit.domain import stream_attempts
from services.audit.domain.stream_attempts import LONGEST_PAUSE
from services.audit.domain.stream_batches import MAX_BYTES, StreamLine, batch_of
from services.audit.domain.streams import LogStream
from services.audit.domain.tails import TailPlace
from shared.ids import AccountId, StreamId, UserId
from shared.receivers.attempts import MAX_JITTER, MAX_RETRY_AFTER, ReceiverAttempt
from tests.services.rows import NOON

HALF = MAX_BYTES // 2


def a_stream(*, tries: int = 0) -> LogStream:
    return LogStream(
        id=StreamId("str_1"),
        account_id=AccountId("acc_1"),
        name="SIEM",
        url="https://siem.example/x",
        header="Authorization",
        sealed_secret=b"",
        secret_at=NOON,
        created_by=UserId("usr_1"),
        created_at=NOON,
        size=7,
        tries=tries,
    )


@pytest.mark.parametrize(
    ("lengths", "taken"),
    [
        ([10, 10, 10], 3),
        ([HALF, HALF], 2),
        ([HALF, HALF, 1], 2),
        ([HALF, HALF + 1], 1),
        ([MAX_BYTES + 1, 10], 1),
        ([2 * MAX_BYTES], 1),
    ],
)
def test_a_batch_holds_what_fits_and_one_record_at_least(lengths, taken):
    lines = [
        StreamLine(text="x" * length, place=TailPlace(8 + number, f"evt_{number}"), is_record=True)
        for number, length in enumerate(lengths)
    ]
    batch = batch_of(a_stream(), lines, size=99, checkpoint=None, now=NOON)
    assert batch.place == lines[taken - 1].place
    assert f'"records":{taken}' in batch.body.decode().splitlines()[-1]


@pytest.mark.parametrize("tries", [0, 1, 30, 5_000])
def test_pauses_double_up_to_their_bound_however_often_it_failed(tries):
    attempt = ReceiverAttempt(at=NOON, milliseconds=1, status=500)
    failed = stream_attempts.failed(a_stream(tries=tries), attempt, now=NOON, jitter=1.0)
    assert failed.due_at is not None
    pause = failed.due_at - NOON
    assert pause == min(timedelta(seconds=5) * 2 ** min(tries, 20), LONGEST_PAUSE) * (
        1 + MAX_JITTER
    )
    asked = ReceiverAttempt(at=NOON, milliseconds=1, status=503, retry_after=timedelta(days=9))
    slow = stream_attempts.failed(a_stream(tries=tries), asked, now=NOON, jitter=0.0)
    assert slow.due_at == NOON + MAX_RETRY_AFTER
