"""Join mails to a digest, and decide at its first attempt what it tells.

A digest is a message of its own. It is open while its place is stored. Each mail that joins writes
that place in the transaction of its fact, and so does the end of the open time. So a mail is in the
digest that is sent, or in the next one.
"""

from collections.abc import Sequence
from datetime import datetime

from services.notification.domain.digests import (
    TOLD_TOGETHER,
    Digest,
    digest_of,
    newest_of,
    open_place,
)
from services.notification.domain.messages import Message
from services.notification.domain.pace import Topic, pace_key
from services.notification.domain.preferences import SWITCHED_OFF, is_switched_off
from services.notification.store import Pace
from services.notification.use_cases.context import Ctx
from shared.contracts.topology import Service
from shared.ids import UserId
from shared.mongo import DbSession, transact
from shared.withheld_mails import note_withheld_mail


class ClaimLost(Exception):  # noqa: N818 - it names what was found
    """Another sender has claimed the digest since."""


async def join_digest(
    ctx: Ctx, message: Message, session: DbSession, *, due_at: datetime
) -> datetime:
    """Have a mail told by the open digest of its recipient, or by a new one; return when."""
    pace = await _open(ctx, message, session)
    place = next(iter(pace.places), None)
    if place is None or not await ctx.digests.takes(place.id, session):
        digest = digest_of(message)
        place = open_place(digest.id, due_at=due_at)
        await ctx.messages.add(digest, session, due_at=due_at)
    await ctx.digests.join(message, session, digest_id=place.id)
    await ctx.paces.save(pace, [place], session, now=message.created_at)
    return place.due_at


async def count_in_digest(ctx: Ctx, message: Message, session: DbSession) -> None:
    """Have the open digest count a mail that is one too many to be listed."""
    pace = await _open(ctx, message, session)
    for place in pace.places:
        await ctx.digests.count_more(place.id, session)
        await ctx.paces.save(pace, pace.places, session, now=message.created_at)


async def settle_digest(ctx: Ctx, digest: Message, claim: str) -> Digest:
    """Return what a claimed digest tells, the same in every attempt.

    Raises:
        ClaimLost: another sender has claimed it since.
    """
    if digest.listed is None:
        return await _close(ctx, digest, claim)
    return Digest(listed=await ctx.digests.listed(digest.listed), more=digest.more)


async def _close(ctx: Ctx, digest: Message, claim: str) -> Digest:
    now = ctx.clock.now()

    async def change(session: DbSession) -> tuple[Digest, list[tuple[Message, str]]]:
        pace = await _open(ctx, digest, session)
        if [place.id for place in pace.places] == [digest.id]:
            await ctx.paces.save(pace, [], session, now=now)
        waiting, more = await ctx.digests.joined(digest.id, session)
        wanted, unwanted = await _wanted(ctx, waiting, session)
        told = newest_of(wanted, more=more)
        ended = [
            *((each, TOLD_TOGETHER) for each in wanted),
            *((each, SWITCHED_OFF) for each in unwanted),
        ]
        for each, reason in ended:
            await ctx.messages.withhold(each.id, now=now, reply=reason, session=session)
        listed = [each.id for each in told.listed]
        if not await ctx.digests.settle(
            digest.id, listed=listed, more=told.more, claim=claim, session=session
        ):
            raise ClaimLost(digest.id)
        return told, ended

    told, ended = await transact(ctx.client, change)
    for each, reason in ended:
        note_withheld_mail(Service.NOTIFICATION, kind=each.kind, reason=reason, message_id=each.id)
    return told


async def _wanted(
    ctx: Ctx, waiting: Sequence[Message], session: DbSession
) -> tuple[list[Message], list[Message]]:
    """The mails that their recipient wants still, and those switched off since they waited."""
    named = {each.user_id for each in waiting if each.user_id is not None}
    preferences = await ctx.preferences.among(named, session)
    wanted: list[Message] = []
    unwanted: list[Message] = []
    for each in waiting:
        known = preferences.get(UserId(each.user_id or ""))
        off = known is not None and is_switched_off(known.off, each)
        (unwanted if off else wanted).append(each)
    return wanted, unwanted


async def _open(ctx: Ctx, message: Message, session: DbSession) -> Pace:
    """The place of the open digest of a recipient in an account, if there is one."""
    key = pace_key(message.account_id or "", message.recipient, Topic.DIGEST)
    return await ctx.paces.find(key, session)
