"""Streams of the audit log as the API shows them."""

from datetime import datetime
from typing import ClassVar, Self

from services.audit.domain.streams import PausedBecause
from services.audit.use_cases.streams import ShownStream
from shared.http.entity_tags import TaggedAnswer
from shared.http.routes import Answer
from shared.ids import AccountId, StreamId, UserId


class StreamTrialView(Answer):
    """What came of the last test; without a `problem` the receiver took it."""

    at: datetime
    milliseconds: int
    status: int | None
    problem: str | None


class StreamView(TaggedAnswer):
    """A stream, and how far its receiver is.

    `paused_because` is `member`, `gone` (it answered 410), `failing` (for three days), `set-back`
    (its place is not in the log any more), or `reverted` (the team was made a personal account).
    """

    beside_the_state: ClassVar[frozenset[str]] = frozenset(
        {
            *("place", "waiting_records", "sent_at", "problem", "failing_since"),
            *("next_attempt_at", "test_due", "tested"),
        }
    )
    awaited = beside_the_state

    id: StreamId
    account_id: AccountId
    name: str
    url: str
    header: str
    secret_at: datetime
    """When the secret was given."""
    enabled: bool
    paused_because: PausedBecause | None
    created_by: UserId
    created_at: datetime
    place: int
    """Where in the log the stream is: the receiver gets the records behind it. It has those before
    it that came after the start of the stream."""
    waiting_records: int
    """The sealed records behind the place."""
    sent_at: datetime | None
    """When the receiver took a batch last."""
    problem: str | None
    """What was wrong with the last attempt, if it failed."""
    failing_since: datetime | None
    """Since when no attempt succeeded."""
    next_attempt_at: datetime | None
    test_due: bool
    """Whether a test is about to be sent."""
    tested: StreamTrialView | None

    @classmethod
    def of(cls, shown: ShownStream) -> Self:
        """Return the stream as the API shows it."""
        stream, trial = shown.stream, shown.stream.tested
        return cls(
            id=stream.id,
            account_id=stream.account_id,
            name=stream.name,
            url=stream.url,
            header=stream.header,
            secret_at=stream.secret_at,
            enabled=stream.enabled,
            paused_because=stream.paused,
            created_by=stream.created_by,
            created_at=stream.created_at,
            place=stream.size,
            waiting_records=max(0, shown.sealed - stream.size),
            sent_at=stream.sent_at,
            problem=stream.problem,
            failing_since=stream.failing_since,
            next_attempt_at=stream.due_at if stream.enabled else None,
            test_due=stream.test_due,
            tested=None
            if trial is None
            else StreamTrialView(
                at=trial.at,
                milliseconds=trial.milliseconds,
                status=trial.status,
                problem=trial.problem,
            ),
        )
