"""Deliver a message: claim it, make its mail, send it once and save the result."""

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from services.notification.domain.attempts import (
    AttemptResult,
    Deferred,
    Failed,
    LinkUnavailable,
    Postponed,
    Rejected,
    Sent,
    Unreachable,
    Withdrawn,
    reply_of,
    status_or_retry,
)
from services.notification.domain.bounces import cause_of
from services.notification.domain.digest_words import digest_words
from services.notification.domain.headers import UnsafeHeader
from services.notification.domain.mails import Undeliverable, compose
from services.notification.domain.messages import (
    SENT_WITHOUT_LINK,
    HiddenRecipient,
    MailLink,
    Message,
    MessageKind,
    MessageStatus,
)
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.digests import ClaimLost, settle_digest
from shared.contracts.calls.identity import FarewellRequest
from shared.contracts.calls.team import InvitationLinkRequest
from shared.contracts.facts import Fact, Outcome, ResourceRef
from shared.contracts.notification import MessageBounced, MessageSent
from shared.contracts.topology import Service
from shared.ids import MessageId
from shared.inbox import AWAY
from shared.journal import JournalWrite
from shared.metrics import MAILS_ENDED
from shared.mongo import DatabaseAway
from shared.problems import Refusal, RefusalKind
from shared.withheld_mails import note_withheld_mail

logger = logging.getLogger(__name__)


async def claim_due(
    ctx: Ctx, *, limit: int, in_hand: Collection[MessageId] = ()
) -> list[tuple[Message, str]]:
    """Claim up to `limit` messages that are due; each comes with its new claim.

    Messages that are `in_hand` are skipped: their claims may have run out while the database was
    away and could not renew them.
    """
    now = ctx.clock.now()
    claimed = []
    for found in await ctx.messages.due(now, limit=limit):
        if found["_id"] in in_hand:
            continue
        claim = secrets.token_hex(8)
        message = await ctx.messages.claim(found, claim=claim, until=_claim_end(ctx, now))
        if message is not None:
            claimed.append((message, claim))
    return claimed


async def deliver(ctx: Ctx, message: Message, claim: str) -> None:
    """Send a claimed message once and save the result, even if the database is away for long.

    The claim is renewed until the result is saved. Otherwise another sender would send a mail again
    that the mail server already has.
    """
    async with _claim_renewed(ctx, message.id, claim):
        result = await _attempt(ctx, message, claim)
        while True:
            try:
                await _save(ctx, message, claim, result)
            except AWAY as away:
                ctx.outages.saving.away(away)
                await ctx.pause(ctx.timeouts.mail_save_retry)
            else:
                ctx.outages.saving.back()
                return


async def _attempt(ctx: Ctx, message: Message, claim: str) -> AttemptResult:
    try:
        digest = message.kind is MessageKind.DIGEST
        return await (_attempt_digest(ctx, message, claim) if digest else _send(ctx, message))
    except Refusal as refusal:
        return _without_link(refusal)
    except ClaimLost:
        return Failed(reason="claimed by another sender")
    except Undeliverable:
        return Rejected(reply="The recipient is not one plain e-mail address.")
    except UnsafeHeader:
        logger.exception("A mail has an unsafe header.", extra={"message_id": message.id})
        return Rejected(reply="A header of the mail would be unsafe.")
    except Exception as error:  # any error of ours is retried with growing pauses, for three days
        logger.exception("A mail could not be made or sent.", extra={"message_id": message.id})
        return Failed(reason=f"internal error: {type(error).__name__}")


async def _send(ctx: Ctx, message: Message) -> AttemptResult:
    found = await _link_of(ctx, message)
    if isinstance(found, HiddenRecipient):
        message, found = message.to(found), None
    mail = compose(
        message,
        found,
        sender=ctx.sender,
        now=ctx.clock.now(),
        unsubscribe_url=ctx.unsubscribe_links.url(message),
        unsubscribe_page=ctx.unsubscribe_links.page(message),
    )
    return await ctx.transport.send(mail)


async def _attempt_digest(ctx: Ctx, digest: Message, claim: str) -> AttemptResult:
    """Send what a digest tells; one thing alone has its usual mail, under the id of the digest."""
    told = await settle_digest(ctx, digest, claim)
    if not told.listed:
        return Withdrawn()
    if told.single:
        return await _send(ctx, replace(told.listed[0], id=digest.id))
    firsts = {each.kind: each for each in reversed(told.listed)}
    pages = {kind: ctx.unsubscribe_links.page(each) for kind, each in firsts.items()}
    [first, *others] = firsts.values()
    mail = compose(
        digest,
        None,
        sender=ctx.sender,
        now=ctx.clock.now(),
        unsubscribe_url=None if others else ctx.unsubscribe_links.url(first),
        digest=digest_words(digest, told, sender=ctx.sender, pages=pages),
    )
    return await ctx.transport.send(mail)


async def _link_of(ctx: Ctx, message: Message) -> MailLink | HiddenRecipient | None:
    """Ask for the link of a mail, if it has one.

    Raises:
        Refusal: the mail must not be sent, or not yet.
    """
    if message.link is None:
        return None
    try:
        return await ctx.links.link(message.link)
    except Refusal as refusal:
        if refusal.kind is RefusalKind.GONE and message.kind in SENT_WITHOUT_LINK:
            return None
        raise


def _without_link(refusal: Refusal) -> AttemptResult:
    match refusal.kind:
        case RefusalKind.GONE:
            return Withdrawn()
        case RefusalKind.RATE_LIMITED:
            return Postponed()
        case _:
            return LinkUnavailable(reason=f"no link: {refusal.code}")


async def _save(ctx: Ctx, message: Message, claim: str, result: AttemptResult) -> None:
    now = ctx.clock.now()
    next_step = status_or_retry(message, result, now=now, jitter=random.random())
    reply = None if message.nameless else reply_of(result)
    if isinstance(result, Sent):
        ctx.outages.sending.back()
    if isinstance(result, Postponed):
        note_withheld_mail(
            Service.NOTIFICATION, kind=message.kind, reason=result.reason, message_id=message.id
        )
    if not isinstance(next_step, MessageStatus):
        if isinstance(result, Unreachable | LinkUnavailable):
            ctx.outages.sending.away(reply)
        elif not isinstance(result, Postponed):
            logger.warning(
                "A mail waits until %s: %s", next_step, reply, extra={"message_id": message.id}
            )
        deferrals = message.deferrals + isinstance(result, Deferred)
        await ctx.messages.release(
            message.id, claim=claim, due_at=next_step, reply=reply or "", deferrals=deferrals
        )
        return

    async def change(write: JournalWrite) -> bool:
        ended = await ctx.messages.finish(
            message.id, status=next_step, now=now, reply=reply, claim=claim, session=write.session
        )
        if ended:
            write.record(*_facts(message, next_step, reply))
        return ended

    saved = await ctx.journal.write(
        message.account_id or message.id, change, caller=message.caller, effective_everywhere=False
    )
    if saved.result:
        MAILS_ENDED.labels(Service.NOTIFICATION, next_step).inc()
    if isinstance(message.link, FarewellRequest):
        with contextlib.suppress(Refusal):  # else the owner deletes it after three days
            await ctx.links.done(message.link)


def _facts(message: Message, status: MessageStatus, reply: str | None) -> tuple[Fact, ...]:
    """The facts of a final status, as the account's audit log may show them (`T14`).

    A sent invitation is in no account's log: it would show that other accounts had left a place in
    the mailbox. A mail that never had a place ends without a fact, and so does the last one to an
    erased user.
    """
    if message.nameless:
        return ()
    fact = Fact(
        payload=MessageSent(message_id=message.id, kind=message.kind, recipient=message.recipient),
        resource=ResourceRef(type="message", id=message.id, name=message.kind),
        account_id=message.account_id,
        after={"recipient": message.recipient},
    )
    match status:
        case MessageStatus.SENT:
            invited = message.kind is MessageKind.INVITATION
            return (replace(fact, account_id=None) if invited else fact,)
        case MessageStatus.BOUNCED:
            link = message.link if isinstance(message.link, InvitationLinkRequest) else None
            bounced = MessageBounced(
                message_id=message.id,
                kind=message.kind,
                recipient=message.recipient,
                reply=reply or "",
                invitation_id=link and link.id,
                generation=link and link.generation,
                because=cause_of(reply or ""),
            )
            return (replace(fact, payload=bounced, outcome=Outcome.FAILED, reason=reply),)
        case _:
            return ()


def _claim_end(ctx: Ctx, now: datetime) -> datetime:
    return now + timedelta(seconds=ctx.timeouts.mail_claim)


@contextlib.asynccontextmanager
async def _claim_renewed(ctx: Ctx, message_id: MessageId, claim: str) -> AsyncIterator[None]:
    """Renew the claim while the body runs."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(ctx.timeouts.mail_claim / 3)
            with contextlib.suppress(DatabaseAway):
                until = _claim_end(ctx, ctx.clock.now())
                await ctx.messages.renew_claim(message_id, claim=claim, until=until)

    task = asyncio.create_task(renew())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
