"""Writes of the documents that the databases of audit, notification or several services delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from services.audit.store import Store
from services.notification.domain.entries import ListedMessage
from services.notification.domain.messages import Message, MessageKind, MessageStatus
from services.notification.domain.pace import Place
from services.notification.domain.people import person_of
from services.notification.store import Entries, Paces, People
from shared.contracts.identity import UserLocaleChanged
from shared.contracts.identity_erasure import UserErased
from shared.http.idempotency import Idempotency
from shared.ids import MessageId, UserId
from shared.leases import MongoLeaseStore, Receipt
from tests.clocks import SetClock
from tests.services.kept.stores import DAY, HOUR, MINUTE
from tests.services.rows import row_of
from tests.services.team.memory import caller_of
from tests.support.service import FAR

if TYPE_CHECKING:
    from shared.contracts.facts import Row
    from shared.mongo import DbSession
    from tests.services.kept.stores import Stores


A_USER = {"user_id": "usr_bo", "email": "bo@example.com", "name": "Bo", "account_id": "acc_bo"}


class Answer(BaseModel):
    """The answer of a request."""


async def key_taken(stores: Stores) -> None:
    keys = Idempotency(stores.database, clock=SetClock(FAR))
    guard = keys.guard(caller_of("ana"), operation="createProject", key="k", body=None)
    await stores.transact(guard.take_key)
    await stores.transact(lambda session: guard.keep_answer(session, Answer()))


async def receipt_saved(stores: Stores) -> None:
    receipt = Receipt(revision="team.e1.3.7", effective_at=FAR)
    await MongoLeaseStore(stores.client, stores.database).save(receipt)


async def log_read(stores: Stores) -> None:
    records = Store(stores.database)
    await stores.transact(
        lambda session: records.add_reading("acc_1", "usr_1", minute=7, now=FAR, session=session)
    )


async def denials_recorded(stores: Stores) -> None:
    records = Store(stores.database)
    await stores.transact(
        lambda session: records.add_denial_batch("life.1.7", now=FAR, session=session)
    )


async def report_marked(stores: Stores) -> None:
    records = Store(stores.database)
    await stores.transact(
        lambda session: records.add_report_marks({"cli_1/event/1": "d"}, now=FAR, session=session)
    )


MESSAGE = Message(
    id=MessageId("msg_1"),
    kind=MessageKind.REMOVED,
    recipient="bo@x.example",
    account_id="acc_1",
    caller=caller_of("ana"),
    created_at=FAR - DAY,
)


async def mail_queued(stores: Stores) -> None:
    await stores.transact(
        lambda session: stores.messages.add(MESSAGE, session, due_at=FAR - MINUTE)
    )


async def mail_claimed(stores: Stores) -> None:
    await mail_queued(stores)
    [due] = await stores.messages.due(FAR, limit=2)
    assert await stores.messages.claim(due, claim="c", until=FAR + MINUTE)
    assert await stores.messages.renew_claim(MESSAGE.id, claim="c", until=FAR + HOUR)


async def mail_released(stores: Stores) -> None:
    await mail_claimed(stores)
    await stores.messages.release(MESSAGE.id, claim="c", due_at=FAR, reply="421", deferrals=1)


async def mail_withheld(stores: Stores) -> None:
    await mail_queued(stores)
    assert await stores.transact(
        lambda session: stores.messages.withhold(MESSAGE.id, now=FAR, reply="", session=session)
    )


async def mail_finished(stores: Stores) -> None:
    await mail_claimed(stores)
    assert await stores.transact(
        lambda session: stores.messages.finish(
            MESSAGE.id, status=MessageStatus.SENT, now=FAR, reply=None, claim="c", session=session
        )
    )


async def mails_placed(stores: Stores) -> None:
    place = Place(id=MessageId("msg_1"), kind=MessageKind.REMOVED, about="usr_1", seq=1, due_at=FAR)
    earlier = replace(place, due_at=FAR - MINUTE)
    paces = Paces(stores.database)
    for now, places in ((FAR - DAY, [earlier]), (FAR - DAY, [earlier, place])):

        async def save(session: DbSession, now: Any = now, places: Any = places) -> None:
            await paces.save(await paces.find("k", session), places, session, now=now)

        await stores.transact(save)


async def entry_listed(stores: Stores) -> None:
    entry = ListedMessage(
        id=MessageId("msg_1"),
        user_id=UserId("usr_bo"),
        kind=MessageKind.REMOVED,
        account_id=None,
        created_at=FAR,
    )
    entries = Entries(stores.database)
    await stores.transact(lambda session: entries.add(entry, session))


async def entry_read(stores: Stores) -> None:
    await entry_listed(stores)

    async def change(session: DbSession) -> None:
        entries = Entries(stores.database)
        await entries.mark_read(UserId("usr_bo"), session, ids=None, up_to="msg_1")

    await stores.transact(change)


async def person_known(stores: Stores) -> None:
    row = row_of(UserLocaleChanged(**A_USER), seq=1)
    await _save_person(stores, row)


async def person_erased(stores: Stores) -> None:
    await person_known(stores)
    erased = UserErased(user_id=A_USER["user_id"], account_id=A_USER["account_id"])
    await _save_person(stores, row_of(erased, seq=2))


async def _save_person(stores: Stores, row: Row) -> None:
    person, people = person_of(row), People(stores.database)
    assert person is not None
    await stores.transact(lambda session: people.save(person, row, session, now=FAR))
