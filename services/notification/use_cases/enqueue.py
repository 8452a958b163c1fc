"""Queue the messages that follow from a fact, each at the pace of its recipient."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.notification.domain.digests import DIGEST_WAIT, digest_due, may_be_digested
from services.notification.domain.entries import entry_of
from services.notification.domain.member_recipients import ended_membership
from services.notification.domain.messages import Message
from services.notification.domain.pace import (
    MAX_PLACES,
    MEMBERSHIP_ENDED,
    NEWER_MAIL,
    TOO_MANY,
    TOPICS,
    Place,
    Topic,
    current_places,
    next_due,
    pace_key,
    waiting_place,
)
from services.notification.domain.people import address_key, addressed, person_of
from services.notification.domain.preferences import SWITCHED_OFF, is_switched_off
from services.notification.domain.public_events import is_public
from services.notification.domain.recipients import messages_of
from services.notification.store import Pace
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.digests import count_in_digest, join_digest
from services.notification.use_cases.webhook_events import queue_deliveries
from shared.contracts.facts import Row
from shared.contracts.topology import Service
from shared.ids import UserId
from shared.inbox import AppliedMark, caller_for
from shared.mongo import DbSession, transact
from shared.withheld_mails import note_withheld_mail


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """A mail that is not sent, and why."""

    place: Place
    reason: str


async def enqueue(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Queue the mails and webhooks that follow from the fact, in one transaction with its mark."""
    messages = messages_of(
        row, caller=caller_for(row, service=Service.NOTIFICATION), now=ctx.clock.now()
    )
    left = ended_membership(row)
    if not messages and left is None and not is_public(row):
        return

    async def change(session: DbSession) -> list[Withheld]:
        await applied_mark(session)
        await queue_deliveries(ctx, row, session)
        ended = [] if left is None else await _end(ctx, row, left.email, session=session)
        addressed = await _addressed(ctx, messages, session)
        await note_person(ctx, row, session)
        withheld = await _queue_wanted(ctx, addressed, seq=row.seq, session=session)
        if left is not None and row.account_id is not None:
            await ctx.preferences.forget_account(
                row.account_id, session, user_id=UserId(left.user_id)
            )
        return [*ended, *(mail for mail in withheld if mail is not None)]

    for mail in await transact(ctx.client, change):
        note_withheld_mail(
            Service.NOTIFICATION,
            kind=mail.place.kind,
            reason=mail.reason,
            message_id=mail.place.id,
        )
    ctx.queued.set()
    ctx.deliveries_queued.set()


async def learn(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Note the address, the language and the time zone of the user whom the fact is about."""

    async def change(session: DbSession) -> None:
        await applied_mark(session)
        await note_person(ctx, row, session)

    await transact(ctx.client, change)


async def note_person(ctx: Ctx, row: Row, session: DbSession) -> None:
    """Note what the fact tells of its user, if it tells anything."""
    person = person_of(row)
    if person is None:
        return
    if person.erased:
        before = await ctx.people.among({person.id}, (), session)
        email_key = before[0].email_key if before else ""
        await ctx.messages.delete_of(person.id, email_key, session)
        await ctx.entries.delete_of(person.id, session)
        await ctx.preferences.delete_of(person.id, session)
    await ctx.people.save(person, row, session, now=ctx.clock.now())


async def _addressed(ctx: Ctx, messages: Sequence[Message], session: DbSession) -> list[Message]:
    """The messages in the languages of their recipients, as they were before this fact.

    To a user who is erased nothing goes any more: the last mail was that of the erasure.
    """
    named = {
        each
        for message in messages
        for each in (message.user_id, message.language_of)
        if each is not None
    }
    keys = {address_key(message.recipient) for message in messages if message.user_id is None}
    people = await ctx.people.among(named, keys - {""}, session)
    told = [addressed(message, people) for message in messages]
    return [message for message in told if message is not None]


async def _end(ctx: Ctx, row: Row, recipient: str, *, session: DbSession) -> list[Withheld]:
    """Withhold the waiting mails about the overrides and the role of a member who is gone.

    A mail of an earlier fact that arrives later is withheld, too.
    """
    now, withheld = ctx.clock.now(), []
    for topic in (Topic.OVERRIDES, Topic.MEMBERSHIP):
        pace = await ctx.paces.find(pace_key(row.account_id or "", recipient, topic), session)
        places = current_places(pace.places, now=now)
        for place in [one for one in places if one.due_at > now and one.seq < row.seq]:
            if await ctx.messages.withhold(
                place.id, now=now, reply=MEMBERSHIP_ENDED, session=session
            ):
                places.remove(place)
                withheld.append(Withheld(place=place, reason=MEMBERSHIP_ENDED))
        ended = replace(pace, ended_seq=max(pace.ended_seq, row.seq))
        await ctx.paces.save(ended, places, session, now=now)
    return withheld


async def _queue_wanted(
    ctx: Ctx, messages: Sequence[Message], *, seq: int, session: DbSession
) -> list[Withheld | None]:
    """List each message with its recipient, and queue the mails that they have not switched off."""
    named = {message.user_id for message in messages if message.user_id is not None}
    preferences = await ctx.preferences.among(named, session)
    withheld = []
    for message in messages:
        entry = entry_of(message)
        if entry is not None:
            await ctx.entries.add(entry, session)
        known = preferences.get(UserId(message.user_id or ""))
        if known is None or not is_switched_off(known.off, message):
            withheld.append(await _queue(ctx, message, seq=seq, session=session))
            continue
        now = message.created_at
        await ctx.messages.add(message, session, due_at=now)
        await ctx.messages.withhold(message.id, now=now, reply=SWITCHED_OFF, session=session)
        place = Place(id=message.id, kind=message.kind, about="", seq=seq, due_at=now)
        withheld.append(Withheld(place=place, reason=SWITCHED_OFF))
    return withheld


async def _queue(ctx: Ctx, message: Message, *, seq: int, session: DbSession) -> Withheld | None:
    """Queue a message, and give the mail that is withheld: another is newer, too many wait.

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
    refused = _reason_to_withhold(pace, places, waiting, seq=seq)
    may_wait = may_be_digested(message)
    if refused is not None:
        if refused == TOO_MANY and may_wait:
            await count_in_digest(ctx, message, session)
        await ctx.messages.add(message, session, due_at=now)
        await ctx.messages.withhold(message.id, now=now, reply=refused, session=session)
        return Withheld(place=place, reason=refused)
    withheld: Withheld | None = None
    if waiting is not None and await ctx.messages.withhold(
        waiting.id, now=now, reply=NEWER_MAIL, session=session
    ):
        withheld = Withheld(place=waiting, reason=NEWER_MAIL)
        places.remove(waiting)
        due_at = waiting.due_at
    elif may_wait:
        due_at = digest_due(places, now=now)
    else:
        due_at = next_due(places, about=place.about, now=now)
    if may_wait and due_at > now:
        latest = min(due_at, now + DIGEST_WAIT)
        due_at = await join_digest(ctx, message, session, due_at=latest)
    else:
        await ctx.messages.add(message, session, due_at=due_at)
    await ctx.paces.save(pace, [*places, replace(place, due_at=due_at)], session, now=now)
    return withheld


def _reason_to_withhold(
    pace: Pace, places: Sequence[Place], waiting: Place | None, *, seq: int
) -> str | None:
    if seq < pace.ended_seq:
        return MEMBERSHIP_ENDED
    if waiting is None:
        return TOO_MANY if len(places) >= MAX_PLACES else None
    return NEWER_MAIL if waiting.seq > seq else None
