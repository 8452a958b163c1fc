"""What the databases of all services delete by themselves, and what they hold only once."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import pytest_asyncio
from pymongo.errors import DuplicateKeyError

from rolecall import Delivery
from services.audit.migrations import READING_SECONDS
from services.audit.store import Records
from services.identity.domain.rate_limits import RateLimit
from services.identity.store import Store as IdentityStore
from services.notification.domain.messages import MessageKind, MessageStatus
from services.notification.domain.pace import PACE_WINDOW, Place
from services.notification.migrations import MESSAGE_RETENTION
from services.notification.store import Messages, Paces
from services.team.domain.invitation_mails import AccountMail, MailboxPlace
from services.team.domain.invitations import Invitation, InvitationStatus
from services.team.store import Store as TeamStore
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.clock import SystemClock
from shared.contracts.facts import GENESIS
from shared.contracts.topology import SOURCES, Service
from shared.http.idempotency import Idempotency
from shared.ids import AccountId, InvitationId, MessageId, UserId
from shared.leases import MongoLeaseStore, Receipt
from shared.migrations import migrate
from shared.mongo import Database, DbClient, DbSession, connect, transact
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.identity.domain.rows import PENDING, SESSION, USER
from tests.services.team.memory import caller_of
from tests.support.journal_keys import signer
from tests.support.service import FAR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Writes(Protocol):
    """Writes the document of a case in a transaction of the service's database."""

    async def __call__(self, client: DbClient, database: Database, session: DbSession) -> None: ...


async def invitation_counted(client: DbClient, database: Database, session: DbSession) -> None:
    account_id = AccountId("acc_1")
    store = TeamStore(database)
    await store.save_invitation_times(account_id, [FAR], now=FAR, session=session)


async def invitation_mailed(client: DbClient, database: Database, session: DbSession) -> None:
    mail = AccountMail(mailbox="ana@x.example", at=FAR)
    await TeamStore(database).add_account_mail(AccountId("acc_1"), mail, session)


async def mailbox_place_taken(client: DbClient, database: Database, session: DbSession) -> None:
    place = MailboxPlace(link="inv_1/1", established=False, at=FAR)
    assert await TeamStore(database).take_place("ana@x.example", place, limit=1)


async def end_learned(client: DbClient, database: Database, session: DbSession) -> None:
    """As earlier versions did, which may run beside this one during an update."""
    kept = {"_id": "ses_1", "expires_at": FAR + SESSION_END_RETENTION}
    await database["ended_sessions"].insert_one(kept, session=session)


async def key_taken(client: DbClient, database: Database, session: DbSession) -> None:
    keys = Idempotency(database, clock=SetClock(FAR))
    guard = keys.guard(caller_of("ana"), operation="createProject", key="k", body=None)
    await guard.take_key(session)


async def receipt_saved(client: DbClient, database: Database, session: DbSession) -> None:
    receipt = Receipt(revision="team.e1.3.7", effective_at=FAR)
    await MongoLeaseStore(client, database).save(receipt)


async def signed_up(client: DbClient, database: Database, session: DbSession) -> None:
    pending = replace(PENDING, link_made_at=FAR)
    await IdentityStore(database).save_sign_up(None, pending, session)


async def link_used(client: DbClient, database: Database, session: DbSession) -> None:
    pending = replace(PENDING, link_made_at=FAR)
    store = IdentityStore(database)
    await store.save_sign_up(None, pending, session)
    await store.save_sign_up(pending, replace(pending, used_at=FAR), session)


async def verified(client: DbClient, database: Database, session: DbSession) -> None:
    user = replace(USER, created_at=FAR, verified_at=FAR)
    store = IdentityStore(database)
    await store.insert_users([user], session)
    await store.update_user(user, replace(user, name="Ana Diaz"), session)


async def signed_in(client: DbClient, database: Database, session: DbSession) -> None:
    started = replace(SESSION, started_at=FAR, expires_at=FAR + 30 * DAY)
    await IdentityStore(database).insert_session(started, session)


async def signed_out(client: DbClient, database: Database, session: DbSession) -> None:
    started = replace(SESSION, started_at=FAR, expires_at=FAR + 30 * DAY)
    store = IdentityStore(database)
    await store.insert_session(started, session)
    await store.update_session(started, replace(started, ended_at=FAR), session)


async def attempt_counted(client: DbClient, database: Database, session: DbSession) -> None:
    limit = RateLimit(key=("login", "ana"), limit=3, window=15 * MINUTE)
    await IdentityStore(database).count_all([limit], now=FAR)


async def mail_counted(client: DbClient, database: Database, session: DbSession) -> None:
    limit = RateLimit(key=("mailbox", "ana"), limit=3, window=15 * MINUTE)
    await IdentityStore(database).save_attempts([limit], {}, now=FAR, session=session)


async def decoy_written(client: DbClient, database: Database, session: DbSession) -> None:
    await IdentityStore(database).add_decoys(1, now=FAR, session=session)


async def log_read(client: DbClient, database: Database, session: DbSession) -> None:
    await Records(database).add_reading("acc_1", "usr_1", minute=7, now=FAR, session=session)


async def denials_recorded(client: DbClient, database: Database, session: DbSession) -> None:
    await Records(database).add_denial_batch("life.1.7", now=FAR, session=session)


async def mail_finished(client: DbClient, database: Database, session: DbSession) -> None:
    queued = {"_id": "msg_1", "open": True, "claim": "c", "due_at": FAR}
    await database["messages"].insert_one(queued, session=session)
    await Messages(database).finish(
        MessageId("msg_1"),
        status=MessageStatus.SENT,
        now=FAR,
        reply=None,
        claim="c",
        session=session,
    )


async def mail_queued(client: DbClient, database: Database, session: DbSession) -> None:
    queued = {"_id": "msg_1", "open": True, "claim": None, "due_at": FAR}
    await database["messages"].insert_one(queued, session=session)


async def mail_placed(client: DbClient, database: Database, session: DbSession) -> None:
    place = Place(id=MessageId("msg_1"), kind=MessageKind.REMOVED, about="usr_1", seq=1, due_at=FAR)
    earlier = replace(place, due_at=FAR - timedelta(minutes=1))
    paces = Paces(database)
    await paces.save(await paces.find("k", session), [earlier, place], session, now=FAR)


async def invitation_written(client: DbClient, database: Database, session: DbSession) -> None:
    await TeamStore(database).insert_invitation(INVITATION, now=FAR - DAY, session=session)


async def invitation_revoked(client: DbClient, database: Database, session: DbSession) -> None:
    store = TeamStore(database)
    await store.insert_invitation(INVITATION, now=FAR - DAY, session=session)
    revoked = replace(INVITATION, status=InvitationStatus.REVOKED)
    await store.replace_invitations([revoked], now=FAR, session=session)


async def endless_invitation_written(
    client: DbClient, database: Database, session: DbSession
) -> None:
    endless = replace(INVITATION, expires_at=None)
    await TeamStore(database).insert_invitation(endless, now=FAR, session=session)


INVITATION = Invitation(
    account_id=AccountId("acc_1"),
    invitation_id=InvitationId("inv_1"),
    email="ana@x.example",
    email_key="ana@x.example",
    role="basic",
    delivery=Delivery.EMAIL,
    inviter_user_id=UserId("usr_1"),
    inviter_name="Ben",
    inviter_email="ben@x.example",
    created_at=FAR - 8 * DAY,
    expires_at=FAR - DAY,
)
KEPT: list[tuple[Service, str, Writes, timedelta | None]] = [
    (Service.TEAM, "invitation_counts.expires_at", invitation_counted, DAY),
    (Service.TEAM, "invitation_counts.expires_at", invitation_mailed, DAY),
    (Service.TEAM, "allowances.expires_at", mailbox_place_taken, DAY),
    (Service.TEAM, "ended_sessions.expires_at", end_learned, SESSION_END_RETENTION),
    (Service.TEAM, "invitations.over_at", invitation_written, 89 * DAY),
    (Service.TEAM, "invitations.over_at", invitation_revoked, 90 * DAY),
    (Service.TEAM, "invitations.over_at", endless_invitation_written, None),
    (Service.TEAM, "idempotency.expires_at", key_taken, DAY),
    (Service.TEAM, "receipts.expires_at", receipt_saved, 30 * DAY),
    (Service.IDENTITY, "idempotency.expires_at", key_taken, DAY),
    (Service.IDENTITY, "receipts.expires_at", receipt_saved, 30 * DAY),
    (Service.IDENTITY, "sign_ups.delete_at", signed_up, 7 * DAY),
    (Service.IDENTITY, "sign_ups.delete_at", link_used, MINUTE),
    (Service.IDENTITY, "users.lapses_at", verified, None),
    (Service.IDENTITY, "sessions.delete_at", signed_in, 30 * DAY),
    (Service.IDENTITY, "sessions.delete_at", signed_out, DAY),
    (Service.IDENTITY, "counters.ends_at", attempt_counted, 15 * MINUTE),
    (Service.IDENTITY, "counters.ends_at", mail_counted, 15 * MINUTE),
    (Service.IDENTITY, "decoys.delete_at", decoy_written, DAY),
    (Service.AUDIT, "readings.at", log_read, timedelta(seconds=READING_SECONDS)),
    (Service.AUDIT, "denial_batches.at", denials_recorded, 7 * DAY),
    (Service.NOTIFICATION, "messages.finished_at", mail_finished, MESSAGE_RETENTION),
    (Service.NOTIFICATION, "messages.finished_at", mail_queued, None),
    (Service.NOTIFICATION, "paces.expires_at", mail_placed, PACE_WINDOW),
]
"""How long a document is kept after `FAR`, the moment of its write; `None`: without an end."""

JOURNAL = ("journal", ("shard", "seq"), None)
UNIQUE: dict[Service, list[tuple[str, tuple[str, ...], dict[str, Any] | None]]] = {
    Service.TEAM: [
        JOURNAL,
        ("invitations", ("shard", "account_id", "email_key"), {"status": "pending"}),
        ("projects", ("shard", "account_id", "name_key"), None),
    ],
    Service.IDENTITY: [
        JOURNAL,
        ("external_ids", ("client_id", "user_id"), None),
        ("sign_ups", ("email_key",), None),
        ("signing_keys", ("slot",), None),
    ],
    Service.AUDIT: [JOURNAL],
    Service.NOTIFICATION: [JOURNAL],
}
"""The fields that no two documents of a collection share, among those of the filter."""


@pytest_asyncio.fixture(loop_scope="module")
async def client(mongo_url: str) -> AsyncIterator[DbClient]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


async def prepared(client: DbClient, name: str, service: Service) -> Database:
    """The database of the service, after its migrations."""
    database: Database = client[name]
    module = importlib.import_module(f"services.{service}.migrations")
    await migrate(database, module.migrations(signer(service)), clock=SystemClock())
    return database


@pytest.mark.parametrize("service", SOURCES)
async def test_the_migrations_of_each_source_sign_its_old_journal(
    client: DbClient, database_name: str, service: Service
) -> None:
    """A head of the earlier form becomes one that a replica of that version cannot use."""
    heads = client[database_name]["heads"]
    await heads.insert_one({"_id": 7, "seq": 0})
    await prepared(client, database_name, service)
    assert await heads.find_one({"_id": 7}) == {"_id": 7, "last_seq": 0, "digest": GENESIS}


async def indexes_of(database: Database) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, index)
        for name in await database.list_collection_names()
        async for index in database[name].list_indexes()
    ]


@pytest.mark.parametrize("service", SOURCES)
async def test_each_index_that_deletes_or_is_unique_has_its_case(
    client: DbClient, database_name: str, service: Service
) -> None:
    found = await indexes_of(await prepared(client, database_name, service))
    deleting = {
        f"{name}.{next(iter(index['key']))}"
        for name, index in found
        if "expireAfterSeconds" in index
    }
    unique = [
        (name, tuple(index["key"]), index.get("partialFilterExpression"))
        for name, index in found
        if index.get("unique")
    ]
    assert deleting == {place for owner, place, _, _ in KEPT if owner is service}
    assert sorted(unique, key=str) == sorted(UNIQUE[service], key=str)


@pytest.mark.parametrize(
    ("service", "place", "write", "kept"),
    KEPT,
    ids=[f"{service}-{write.__name__}" for service, _, write, _ in KEPT],  # type: ignore[attr-defined]
)
async def test_a_document_is_deleted_when_it_is_over_and_not_before(
    client: DbClient,
    database_name: str,
    service: Service,
    place: str,
    write: Writes,
    kept: timedelta | None,
) -> None:
    database = await prepared(client, database_name, service)
    collection, field = place.split(".")

    async def change(session: DbSession) -> None:
        await write(client, database, session)

    await transact(client, change)

    [document] = await database[collection].find({}).to_list(2)
    [after] = [
        index["expireAfterSeconds"]
        for name, index in await indexes_of(database)
        if name == collection and index["key"].get(field) and "expireAfterSeconds" in index
    ]
    moment: datetime | None = document.get(field)
    deleted_at = None if moment is None else moment + timedelta(seconds=after)
    assert deleted_at == (None if kept is None else FAR + kept)


@pytest.mark.parametrize(
    ("service", "collection", "fields", "partial"),
    [(service, *row) for service, rows in UNIQUE.items() for row in rows],
)
async def test_a_second_document_with_the_same_unique_fields_is_refused(
    client: DbClient,
    database_name: str,
    service: Service,
    collection: str,
    fields: tuple[str, ...],
    partial: dict[str, Any] | None,
) -> None:
    database = await prepared(client, database_name, service)
    same = dict.fromkeys(fields, 1) | (partial or {})
    await database[collection].insert_one({"_id": "first", **same})
    await database[collection].insert_one({"_id": "other", **same, fields[-1]: 2})
    if partial is not None:
        outside = dict.fromkeys(partial, "otherwise")
        await database[collection].insert_one({"_id": "outside", **same, **outside})

    with pytest.raises(DuplicateKeyError):
        await database[collection].insert_one({"_id": "second", **same})
