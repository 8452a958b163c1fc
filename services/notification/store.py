"""How do messages stand in MongoDB?

A message that waits is `open` and has a `due_at`. Whoever sends it moves `due_at` ahead and signs
with a claim; while the sending lasts the claim is kept fresh, so a crash frees the message after
`LEASE`.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from services.notification.domain import Kind, LinkName, Message, Status
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.ids import MessageId
from shared.mongo import Database, DbSession, Document, majority

LEASE = timedelta(seconds=6)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Messages:
    """The collection `messages`."""

    def __init__(self, database: Database) -> None:
        self._messages = majority(database, "messages")

    async def add(self, message: Message, session: DbSession) -> None:
        """Queue a message; one with this id that is there already stays as it is."""
        document = {
            "kind": message.kind,
            "recipient": message.recipient,
            "account_id": message.account_id,
            "actor": message.caller.actor.model_dump(),
            "request": message.caller.request.model_dump(),
            "words": dict(message.words),
            "expires_at": message.expires_at,
            "link": message.link and asdict(message.link),
            "created_at": message.created_at,
            "status": Status.QUEUED,
            "open": True,
            "due_at": message.created_at,
            "claim": None,
            "attempts": 0,
            "deferrals": 0,
        }
        await self._messages.update_one(
            {"_id": message.id}, {"$setOnInsert": document}, upsert=True, session=session
        )

    async def due(self, now: datetime, *, limit: int) -> list[Document]:
        """Messages that are to be sent now, the longest waiting first; not yet claimed."""
        due = {"open": True, "due_at": {"$gt": _BEGINNING, "$lte": now}}
        return await self._messages.find(due).sort("due_at", 1).limit(limit).to_list(limit)

    async def claim(self, found: Document, *, claim: str, now: datetime) -> Message | None:
        """Take a message that `due` gave, unless somebody else was faster."""
        outcome = await self._messages.update_one(
            {"_id": found["_id"], "open": True, "claim": found["claim"], "due_at": found["due_at"]},
            {
                "$set": {"status": Status.SENDING, "claim": claim, "due_at": now + LEASE},
                "$inc": {"attempts": 1},
            },
        )
        return _read(found) if outcome.matched_count else None

    async def keep(self, message_id: MessageId, *, claim: str, now: datetime) -> bool:
        """Keep a claim fresh; false when it is no longer ours."""
        outcome = await self._messages.update_one(
            {"_id": message_id, "open": True, "claim": claim}, {"$set": {"due_at": now + LEASE}}
        )
        return bool(outcome.matched_count)

    async def release(
        self, message_id: MessageId, *, claim: str, due_at: datetime, reply: str, deferrals: int
    ) -> None:
        """Put a message back, to be tried again at `due_at`."""
        await self._messages.update_one(
            {"_id": message_id, "open": True, "claim": claim},
            {
                "$set": {
                    "status": Status.QUEUED,
                    "claim": None,
                    "due_at": due_at,
                    "reply": reply,
                    "deferrals": deferrals,
                }
            },
        )

    async def finish(
        self,
        message_id: MessageId,
        *,
        status: Status,
        now: datetime,
        reply: str | None,
        claim: str,
        session: DbSession,
    ) -> bool:
        """End a message; false when another sender took it over meanwhile."""
        outcome = await self._messages.update_one(
            {"_id": message_id, "open": True, "claim": claim},
            {
                "$set": {"status": status, "open": False, "finished_at": now, "reply": reply},
                "$unset": {"claim": "", "due_at": ""},
            },
            session=session,
        )
        return bool(outcome.matched_count)


def _read(found: Document) -> Message:
    return Message(
        id=MessageId(found["_id"]),
        kind=Kind(found["kind"]),
        recipient=found["recipient"],
        account_id=found["account_id"],
        caller=Caller(
            actor=Actor.model_validate(found["actor"]),
            request=RequestInfo.model_validate(found["request"]),
        ),
        created_at=found["created_at"],
        words=found["words"],
        expires_at=found["expires_at"],
        link=found["link"] and LinkName(**found["link"]),
        attempts=found["attempts"],
        deferrals=found["deferrals"],
    )
