"""How does a fact become a message, and a message a mail?"""

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol

from services.notification import mails
from services.notification.domain import (
    Attempt,
    Deferred,
    Failed,
    Link,
    LinkName,
    Message,
    Refused,
    Sent,
    Status,
    Unlinked,
    Unreachable,
    Withdrawn,
    messages_of,
    outcome,
)
from services.notification.mails import Mail, Sender, Undeliverable, UnsafeHeader
from services.notification.store import LEASE, Messages
from shared.clock import Clock
from shared.contracts.facts import Fact, Outcome, ResourceRef, Row
from shared.contracts.notification import MessageBounced, MessageSent
from shared.ids import MessageId
from shared.inbox import AWAY, AppliedMark, caller_for
from shared.journal import Journal, JournalWrite
from shared.mongo import DATABASE_AWAY, DbClient, DbSession, transact
from shared.problems import Refusal, RefusalKind

logger = logging.getLogger(__name__)

SAVE_AGAIN_SECONDS = 1.0
"""The pause after what came of a mail could not be saved."""


class Posts(Protocol):
    """Hands a mail over and says what came of it (`smtp.Mailer`)."""

    async def send(self, mail: Mail) -> Attempt:
        """Try once; what the server does is an `Attempt`, never an exception."""
        ...


class AsksForLinks(Protocol):
    """Asks the owner of a link to make it (`links.Owners`)."""

    async def link(self, name: LinkName) -> Link:
        """The URL and the code.

        Raises:
            Refusal: of kind `gone` when it was used, revoked or superseded.
            Unavailable: the owner cannot be asked now.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Notification:
    """What the use cases work with."""

    client: DbClient
    messages: Messages
    journal: Journal
    mailer: Posts
    links: AsksForLinks
    sender: Sender
    clock: Clock
    queued: asyncio.Event
    """Set when there may be something to send."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits for so many seconds."""


async def enqueue(ctx: Notification, row: Row, applied_mark: AppliedMark) -> None:
    """Queue the messages that follow from a fact, in one transaction with the fact's receipt."""
    told = messages_of(row, caller=caller_for(row, service="notification"), now=ctx.clock.now())
    if not told:
        return

    async def work(session: DbSession) -> None:
        await applied_mark(session)
        for message in told:
            await ctx.messages.add(message, session)

    await transact(ctx.client, work)
    ctx.queued.set()


async def claim_due(
    ctx: Notification, *, limit: int, in_hand: Collection[MessageId] = ()
) -> list[tuple[Message, str]]:
    """Claim up to `limit` messages that are due; each with the claim that is now ours.

    Those `in_hand` are left alone: while the database was away, their claims ran out unseen.
    """
    now = ctx.clock.now()
    claimed = []
    for found in await ctx.messages.due(now, limit=limit):
        if found["_id"] in in_hand:
            continue
        claim = secrets.token_hex(8)
        message = await ctx.messages.claim(found, claim=claim, now=now)
        if message is not None:
            claimed.append((message, claim))
    return claimed


async def deliver(ctx: Notification, message: Message, claim: str) -> None:
    """Send a claimed message once, and save what came of it, however long the database is away.

    The claim is kept meanwhile: without it a mail that the server took would be sent again.
    """
    async with _kept(ctx, message.id, claim):
        attempt = await _attempt(ctx, message)
        while True:
            try:
                await _save(ctx, message, claim, attempt)
            except AWAY as away:
                logger.warning(
                    "cannot save yet what came of a mail: %s",
                    away,
                    extra={"message_id": message.id},
                )
                await ctx.pause(SAVE_AGAIN_SECONDS)
            else:
                return


async def _attempt(ctx: Notification, message: Message) -> Attempt:
    try:
        link = await ctx.links.link(message.link) if message.link else None
        mail = mails.compose(message, link, sender=ctx.sender, now=ctx.clock.now())
        return await ctx.mailer.send(mail)
    except Refusal as refused:
        if refused.kind is RefusalKind.GONE:
            return Withdrawn()
        return Unlinked(reason=f"no link: {refused.code}")
    except Undeliverable:
        return Refused(reply="not an address that mail can be sent to")
    except UnsafeHeader:
        logger.exception("a mail's header is unsafe", extra={"message_id": message.id})
        return Refused(reply="a header would be unsafe")
    except Exception as fault:  # whatever it is, it is tried ever more rarely, and not for ever
        logger.exception("a mail could not be made or sent", extra={"message_id": message.id})
        return Failed(reason=f"a fault of ours: {type(fault).__name__}")


async def _save(ctx: Notification, message: Message, claim: str, attempt: Attempt) -> None:
    now = ctx.clock.now()
    end = outcome(message, attempt, now=now, jitter=random.random())
    reply = _reply(attempt)
    if not isinstance(end, Status):
        logger.warning("mail waits until %s: %s", end, reply, extra={"message_id": message.id})
        deferrals = message.deferrals + isinstance(attempt, Deferred)
        await ctx.messages.release(
            message.id, claim=claim, due_at=end, reply=reply or "", deferrals=deferrals
        )
        return

    async def work(tx: JournalWrite) -> None:
        if await ctx.messages.finish(
            message.id, status=end, now=now, reply=reply, claim=claim, session=tx.session
        ):
            tx.record(*_facts(message, end, reply))

    await ctx.journal.write(
        message.account_id or message.id, work, caller=message.caller, effective_everywhere=False
    )


def _facts(message: Message, end: Status, reply: str | None) -> tuple[Fact, ...]:
    fact = Fact(
        payload=MessageSent(message_id=message.id, kind=message.kind, recipient=message.recipient),
        resource=ResourceRef(type="message", id=message.id, name=message.kind),
        account_id=message.account_id,
        after={"recipient": message.recipient},
    )
    match end:
        case Status.SENT:
            return (fact,)
        case Status.BOUNCED:
            bounced = MessageBounced(
                message_id=message.id,
                kind=message.kind,
                recipient=message.recipient,
                reply=reply or "",
            )
            return (replace(fact, payload=bounced, outcome=Outcome.FAILED, reason=reply),)
        case _:
            return ()


def _reply(attempt: Attempt) -> str | None:
    match attempt:
        case Sent(reply=reply) | Deferred(reply=reply) | Refused(reply=reply):
            return reply
        case Unreachable(reason=reason) | Unlinked(reason=reason) | Failed(reason=reason):
            return reason
        case Withdrawn():
            return None


@contextlib.asynccontextmanager
async def _kept(ctx: Notification, message_id: MessageId, claim: str) -> AsyncIterator[None]:
    """Keep the claim fresh while the body runs."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with contextlib.suppress(*DATABASE_AWAY):
                await ctx.messages.keep(message_id, claim=claim, now=ctx.clock.now())

    keeper = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
