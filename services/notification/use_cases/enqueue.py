"""Queue the messages that follow from a fact, each at the pace of its recipient."""

from dataclasses import replace

from services.notification.domain.messages import Message
from services.notification.domain.pace import (
    NEWER_MAIL,
    TOPICS,
    Place,
    current_places,
    next_due,
    pace_key,
    waiting_place,
)
from services.notification.domain.recipients import messages_of
from services.notification.use_cases.context import Ctx
from shared.contracts.facts import Row
from shared.contracts.topology import Service
from shared.inbox import AppliedMark, caller_for
from shared.mongo import DbSession, transact
from shared.withheld_mails import note_withheld_mail


async def enqueue(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Queue the messages that follow from the fact, in one transaction with its applied mark."""
    messages = messages_of(
        row, caller=caller_for(row, service=Service.NOTIFICATION), now=ctx.clock.now()
    )
    if not messages:
        return

    async def change(session: DbSession) -> list[Place]:
        await applied_mark(session)
        withheld = [await _queue(ctx, each, seq=row.seq, session=session) for each in messages]
        return [place for place in withheld if place is not None]

    for place in await transact(ctx.client, change):
        note_withheld_mail(
            Service.NOTIFICATION,
            kind=place.kind,
            reason=NEWER_MAIL,
            message_id=place.id,
        )
    ctx.queued.set()


async def _queue(ctx: Ctx, message: Message, *, seq: int, session: DbSession) -> Place | None:
    """Queue a message, and give the mail that is withheld because another one is newer.

    Facts may arrive out of order: their sequence in the journal tells which one is newer.
    """
    topic, now = TOPICS.get(message.kind), message.created_at
    if topic is None or message.about is None or message.account_id is None:
        await ctx.messages.add(message, session, due_at=now)
        return None
    key = pace_key(message.account_id, message.recipient, topic)
    pace = await ctx.paces.find(key, session)
    places = current_places(pace.places, now=now)
    place = Place(id=message.id, kind=message.kind, about=message.about, seq=seq, due_at=now)
    waiting = waiting_place(places, about=place.about, now=now)
    if waiting is not None and waiting.seq > seq:
        await ctx.messages.add(message, session, due_at=now)
        await ctx.messages.withhold(message.id, now=now, reply=NEWER_MAIL, session=session)
        return place
    withheld = None
    if waiting is not None and await ctx.messages.withhold(
        waiting.id, now=now, reply=NEWER_MAIL, session=session
    ):
        withheld = waiting
        places.remove(waiting)
        place = replace(place, due_at=waiting.due_at)
    else:
        place = replace(place, due_at=next_due(places, about=place.about, now=now))
    await ctx.messages.add(message, session, due_at=place.due_at)
    await ctx.paces.save(pace, [*places, place], session)
    return withheld
