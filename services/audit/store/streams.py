"""The streams of accounts in MongoDB."""

from collections.abc import Mapping
from typing import Any

from services.audit.domain.streams import LogStream, PausedBecause, StreamTrial
from shared.documents import changes, document, read
from shared.mongo import (
    Database,
    DbSession,
    Document,
    insert_once,
    majority,
    update_expected,
)

OF_SENDER = ("size", "last", "tries", "due_at", "failing_since", "problem", "sent_at")
"""What the sender changes, beside the members who change all else."""


class StreamRows:
    """The collection `streams`; an account has few."""

    def __init__(self, database: Database) -> None:
        self._streams = majority(database, "streams")

    async def stream(
        self, account_id: str, stream_id: str, session: DbSession | None = None
    ) -> LogStream | None:
        """Find a stream of an account."""
        wanted = {"_id": stream_id, "account_id": account_id}
        found = await self._streams.find_one(wanted, session=session)
        return None if found is None else _stream(found)

    async def streams_of(
        self, account_id: str, session: DbSession | None = None
    ) -> list[LogStream]:
        """The streams of an account, the oldest first."""
        found = self._streams.find({"account_id": account_id}, session=session).sort("_id", 1)
        return [_stream(row) async for row in found]

    async def open_streams(self, after: str, *, limit: int) -> list[LogStream]:
        """The streams that the sender looks at, in the order of their ids."""
        found = self._streams.find({"open": True, "_id": {"$gt": after}})
        return [_stream(row) async for row in found.sort("_id", 1).limit(limit)]

    async def add_stream(self, stream: LogStream, session: DbSession) -> None:
        """Add a stream."""
        await insert_once(self._streams, document(stream, open=stream.open), session)

    async def update_stream(self, before: LogStream, after: LogStream, session: DbSession) -> None:
        """Save a changed stream over the state that was read.

        Raises:
            Lost: it has changed since.
        """
        expected = {**_at(before), "changes": before.changes}
        saved = changes(after, open=after.open)
        await update_expected(self._streams, expected, {"$set": saved}, session)

    async def delete_stream(self, stream: LogStream, session: DbSession) -> None:
        """Delete a stream."""
        await self._streams.delete_one(_at(stream), session=session)

    async def note_sent(self, before: LogStream, after: LogStream) -> bool:
        """Save what came of a batch; `False` if the stream has changed since it was read.

        Then a member has changed it, or another process has sent the batch as well.
        """
        expected = {
            **_at(before),
            "changes": before.changes,
            "size": before.size,
            "last": before.last,
        }
        saved = changes(after)
        update = {"$set": {name: saved[name] for name in OF_SENDER}}
        outcome = await self._streams.update_one(expected, update)
        return bool(outcome.matched_count)

    async def note_trial(self, stream: LogStream, trial: StreamTrial) -> None:
        """Save what came of a test; no other one is due then."""
        saved = {"test_due": False, "tested": _trial_document(trial), "open": stream.enabled}
        expected = {**_at(stream), "changes": stream.changes, "test_due": True}
        await self._streams.update_one(expected, {"$set": saved})


def _at(stream: LogStream) -> dict[str, Any]:
    return {"_id": stream.id, "account_id": stream.account_id}


def _trial_document(trial: StreamTrial) -> Mapping[str, Any]:
    return {
        "at": trial.at,
        "milliseconds": trial.milliseconds,
        "status": trial.status,
        "problem": trial.problem,
    }


def _stream(found: Document) -> LogStream:
    tested, paused = found["tested"], found["paused"]
    values = {
        "sealed_secret": bytes(found["sealed_secret"]),
        "paused": None if paused is None else PausedBecause(paused),
        "tested": None if tested is None else StreamTrial(**tested),
    }
    return read(LogStream, {**found, **values})
