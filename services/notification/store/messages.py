"""Messages in MongoDB.

A message that waits is `open` and has a `due_at`. A sender moves `due_at` ahead and writes its
claim, and renews the claim while it works. After a crash the message is due again when the claim
runs out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field, TypeAdapter

from services.notification.domain.messages import (
    LinkRequest,
    Message,
    MessageKind,
    MessageStatus,
    link_owner,
)
from services.notification.domain.people import address_key
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.ids import MessageId, UserId
from shared.locales import DEFAULT_LOCALE, DEFAULT_TIME_ZONE, known_locale
from shared.mongo import Database, DbSession, Document, majority

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_TAKEN = [MessageStatus.QUEUED, MessageStatus.LISTED]
_LINK_REQUEST: TypeAdapter[LinkRequest] = TypeAdapter(
    Annotated[LinkRequest, Field(discriminator="kind")]
)


@dataclass(frozen=True, kw_only=True)
class WaitingMails:
    """The backlog: mails in their first attempt or before it, those tried more often, its age."""

    fresh: int
    tried: int
    overdue: timedelta


@dataclass(frozen=True, kw_only=True)
class StoredMessage:
    """A message, and what became of it."""

    message: Message
    status: MessageStatus
    finished_at: datetime | None


class Messages:
    """The collection `messages`."""

    def __init__(self, database: Database) -> None:
        self._messages = majority(database, "messages")

    async def add(self, message: Message, session: DbSession, *, due_at: datetime) -> None:
        """Queue a message for a moment; a message with the same id stays unchanged."""
        queued = {"status": MessageStatus.QUEUED, "open": True, "due_at": due_at, "claim": None}
        document = {**content_of(message), **queued}
        await self._messages.update_one(
            {"_id": message.id}, {"$setOnInsert": document}, upsert=True, session=session
        )

    async def of_person(
        self, user_id: UserId, email_key: str, *, before: str | None, limit: int
    ) -> list[StoredMessage]:
        """Find messages to a user, and those to an address that name no user, the newest first."""
        older: Document = {} if before is None else {"_id": {"$lt": before}}
        wanted: list[Document] = [{"user_id": user_id, **older}]
        if email_key:
            wanted.append({"recipient_key": email_key, "user_id": None, **older})
        found = [
            StoredMessage(
                message=read_message(row),
                status=MessageStatus(row["status"]),
                finished_at=row.get("finished_at"),
            )
            for one in wanted
            async for row in self._messages.find(one).sort("_id", -1).limit(limit)
        ]
        return sorted(found, key=lambda one: one.message.id, reverse=True)[:limit]

    async def delete_of(self, user_id: UserId, email_key: str, session: DbSession) -> None:
        """Delete the messages to a user who is erased, also those that wait.

        Of those to the address that name no user, what waits stays: it may be for the next user.
        """
        await self._messages.delete_many(
            {"user_id": user_id, "kind": {"$ne": MessageKind.USER_ERASED}}, session=session
        )
        if email_key:
            ended = {"recipient_key": email_key, "user_id": None, "open": False}
            await self._messages.delete_many(ended, session=session)

    async def withhold(
        self, message_id: MessageId, *, now: datetime, reply: str, session: DbSession
    ) -> bool:
        """Withhold a message that no sender has claimed and no digest has; false if one has."""
        outcome = await self._messages.update_one(
            {"_id": message_id, "status": {"$in": _NOT_TAKEN}, "attempts": 0},
            _finished(MessageStatus.WITHHELD, now=now, reply=reply),
            session=session,
        )
        return bool(outcome.matched_count)

    async def due(self, now: datetime, *, limit: int) -> list[Document]:
        """Unclaimed messages that are due, the longest waiting first."""
        due = {"open": True, "due_at": {"$gt": _EPOCH, "$lte": now}}
        return await self._messages.find(due).sort("due_at", 1).limit(limit).to_list(limit)

    async def waiting(self, now: datetime, *, limit: int = 10_000) -> WaitingMails:
        """Count what is not ended, up to `limit` of each kind, and find the longest due."""
        first = await self.due(now, limit=1)
        fresh, tried = [
            await self._messages.count_documents({"open": True, "attempts": attempts}, limit=limit)
            for attempts in ({"$lte": 1}, {"$gt": 1})
        ]
        overdue = now - first[0]["due_at"] if first else timedelta()
        return WaitingMails(fresh=fresh, tried=tried, overdue=overdue)

    async def claim(self, found: Document, *, claim: str, until: datetime) -> Message | None:
        """Claim a message that `due` gave; `None` when another sender claimed it first."""
        outcome = await self._messages.update_one(
            {"_id": found["_id"], "open": True, "claim": found["claim"], "due_at": found["due_at"]},
            {
                "$set": {"status": MessageStatus.SENDING, "claim": claim, "due_at": until},
                "$inc": {"attempts": 1},
            },
        )
        return read_message(found) if outcome.matched_count else None

    async def renew_claim(self, message_id: MessageId, *, claim: str, until: datetime) -> bool:
        """Renew a claim; false when another sender has claimed the message since."""
        outcome = await self._messages.update_one(
            {"_id": message_id, "open": True, "claim": claim}, {"$set": {"due_at": until}}
        )
        return bool(outcome.matched_count)

    async def release(
        self, message_id: MessageId, *, claim: str, due_at: datetime, reply: str, deferrals: int
    ) -> None:
        """Give up the claim; the message is tried again at `due_at`."""
        await self._messages.update_one(
            {"_id": message_id, "open": True, "claim": claim},
            {
                "$set": {
                    "status": MessageStatus.QUEUED,
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
        status: MessageStatus,
        now: datetime,
        reply: str | None,
        claim: str,
        session: DbSession,
    ) -> bool:
        """Save the final status; false when another sender has claimed the message since."""
        outcome = await self._messages.update_one(
            {"_id": message_id, "open": True, "claim": claim},
            _finished(status, now=now, reply=reply),
            session=session,
        )
        return bool(outcome.matched_count)


def _finished(status: MessageStatus, *, now: datetime, reply: str | None) -> Document:
    """The change that ends a message."""
    return {
        "$set": {"status": status, "open": False, "finished_at": now, "reply": reply},
        "$unset": {"claim": "", "due_at": ""},
    }


def content_of(message: Message) -> Document:
    """What the document of a message has at first, but for how far its delivery is."""
    return {
        "kind": message.kind,
        "recipient": message.recipient,
        "recipient_key": address_key(message.recipient),
        "user_id": message.user_id,
        "locale": message.locale,
        "time_zone": message.time_zone,
        "account_id": message.account_id,
        "actor": message.caller.actor.model_dump(),
        "request": message.caller.request.model_dump(),
        "words": dict(message.words),
        "expires_at": message.expires_at,
        "link": _link_document(message.link),
        "created_at": message.created_at,
        "attempts": 0,
        "deferrals": 0,
    }


def _link_document(request: LinkRequest | None) -> Document | None:
    return None if request is None else {"owner": link_owner(request), **request.model_dump()}


def _link_request(stored: Document | None) -> LinkRequest | None:
    if stored is None:
        return None
    content = {name: value for name, value in stored.items() if name != "owner"}
    return _LINK_REQUEST.validate_python(content)


def read_message(found: Document) -> Message:
    """Return the message of a document."""
    return Message(
        id=MessageId(found["_id"]),
        kind=MessageKind(found["kind"]),
        recipient=found["recipient"],
        account_id=found["account_id"],
        caller=Caller(
            actor=Actor.model_validate(found["actor"]),
            request=RequestInfo.model_validate(found["request"]),
        ),
        created_at=found["created_at"],
        user_id=found.get("user_id"),
        locale=known_locale(found.get("locale", DEFAULT_LOCALE)),
        time_zone=found.get("time_zone", DEFAULT_TIME_ZONE),
        words=found["words"],
        expires_at=found["expires_at"],
        link=_link_request(found["link"]),
        attempts=found["attempts"],
        deferrals=found["deferrals"],
        listed=None if found.get("listed") is None else tuple(found["listed"]),
        more=found.get("more", 0),
    )
