"""Tests of the steps that change stored data of team."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from deploy.documents import ROOT
from rolecall import Delivery
from services.team.domain.invitations import Invitation
from services.team.domain.member_list import MemberListField, MemberListQuery
from services.team.domain.members import Membership
from services.team.migrations import (
    EARLIER_INDEXES,
    add_list_fields,
    migrations,
    move_counts,
    recompute_project_keys,
)
from services.team.store import Store, adoption
from services.team.store.adoption import OF_ACCOUNTS, number_documents
from shared import context
from shared.clock import SystemClock
from shared.contracts.facts import SHARDS, shard_of
from shared.ids import AccountId, InvitationId, MembershipId, UserId, new_id
from shared.indexes import Index, build_indexes, drop_step
from shared.migrations import migrate
from shared.mongo import Database, DbSession, connect, transact
from tests.patience import PATIENT
from tests.support.journal_keys import signer
from tests.support.round_trips import ROUND_TRIPS
from tests.support.service import FAR
from tests.support.sharded import GLOBAL, check_index

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DAY = timedelta(days=1)
STEPS = migrations(signer("team"))
BEFORE_SHARDS = 15
"""The last step of the versions whose documents have no shard."""

STORED = (
    # id, account, name, key of an earlier version, key afterwards
    ("prj_1", "acc_1", "Alpha", "alpha", "alpha"),
    ("prj_2", "acc_1", "Al\u200dpha", "al\u200dpha", "al\u200dpha"),  # clashes with prj_1
    ("prj_3", "acc_2", "Al\u200dpha", "al\u200dpha", "alpha"),
    ("prj_4", "acc_2", "Heart \u2764\ufe0f", "heart \u2764\ufe0f", "heart \u2764"),
)

EARLIER = (
    *(
        Index(collection=name, keys=(("slice", 1), ("key", 1)))
        for name in ("accounts", "members", "projects", "overrides")
    ),
    Index(collection="journal", keys=(("change_id", 1),), name="change"),
    Index(collection="members", keys=(("account_id", 1), ("email_key", 1))),
    Index(collection="projects", keys=(("account_id", 1), ("name_key", 1)), unique=True),
    Index(collection="overrides", keys=(("account_id", 1), ("project_id", 1))),
    Index(collection="overrides", keys=(("account_id", 1), ("user_id", 1))),
    Index(
        collection="invitations",
        keys=(("account_id", 1), ("status", 1), ("inviter_user_id", 1), ("expires_at", 1)),
    ),
    Index(
        collection="invitations",
        keys=(("account_id", 1), ("email_key", 1)),
        name="one_pending_per_address",
        unique=True,
        partial={"status": "pending"},
    ),
)
"""What the steps 1 to 12 of earlier versions built, and nothing needs any more."""


@pytest_asyncio.fixture(loop_scope="module")
async def database(mongo_url: str, database_name: str) -> AsyncIterator[Database]:
    """A database of the last version before documents had a shard."""
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    earlier: Database = client[database_name]
    await migrate(earlier, STEPS[:BEFORE_SHARDS], clock=SystemClock())
    await build_indexes(earlier, *EARLIER)
    yield earlier
    client.close()


async def test_project_keys_are_recomputed_and_a_clash_keeps_the_old_key(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await database["projects"].insert_many(
        [
            {"_id": key, "account_id": account, "name": name, "name_key": old}
            for key, account, name, old, _ in STORED
        ]
    )
    await recompute_project_keys(database)
    await migrate(database, STEPS, clock=SystemClock())
    await recompute_project_keys(database)

    found = {project["_id"]: project["name_key"] async for project in database["projects"].find()}
    assert found == {key: new for key, _, _, _, new in STORED}
    assert "project prj_2 keeps its old name key: another has it" in caplog.messages


LISTED: dict[str, Any] = {
    "name": "Zoë",
    "email": "Zoe@x.example",
    "email_key": "zoe@x.example",
    "joined_at": FAR,
    "created_at": FAR,
    "status": "pending",
    "expires_at": None,
}
"""What members and invitations of earlier versions have."""


async def rows(database: Database, name: str) -> dict[str, dict[str, Any]]:
    return {row["_id"]: row async for row in database[name].find({})}


async def test_every_document_of_an_account_gets_its_shard_in_batches(
    database: Database,
) -> None:
    count = 2 * adoption.BATCH_SIZE + 1
    accounts = [f"acc_{number % 70}" for number in range(count)]
    for name in OF_ACCOUNTS:
        made = count if name == "members" else 3
        await database[name].insert_many(
            {"_id": f"{name}_{n:05}", "account_id": accounts[n], "name_key": str(n), **LISTED}
            for n in range(made)
        )
    await migrate(database, STEPS, clock=SystemClock())
    for name in OF_ACCOUNTS:
        stored = await rows(database, name)
        assert stored
        assert all(row["shard"] == shard_of(row["account_id"]) for row in stored.values())

    before = await rows(database, "members")
    await number_documents(database)
    assert await rows(database, "members") == before


async def test_the_counts_of_accounts_move_and_those_of_mailboxes_stay(
    database: Database,
) -> None:
    counts = [
        {"_id": "account/acc_1", "times": [FAR], "expires_at": FAR},
        {"_id": "mails/acc_1", "mails": [{"mailbox": "m", "at": FAR}], "expires_at": FAR},
        {"_id": "mailbox/m", "places": [], "version": 1, "expires_at": FAR},
    ]
    await database["allowances"].insert_many(counts)
    await migrate(database, STEPS, clock=SystemClock())
    store = Store(database)

    async def read(session: DbSession) -> tuple[list[Any], list[Any]]:
        account_id = AccountId("acc_1")
        times = await store.invitation_times(account_id, session)
        return times, await store.account_mails(account_id, session)

    times, mails = await transact(database.client, read)
    assert (times, [mail.mailbox for mail in mails]) == ([FAR], ["m"])
    assert (await rows(database, "invitation_counts")).keys() == {"account/acc_1", "mails/acc_1"}

    async def count(session: DbSession) -> None:
        await store.save_invitation_times(AccountId("acc_1"), [FAR, FAR], now=FAR, session=session)

    await transact(database.client, count)
    await move_counts(database)
    assert len((await rows(database, "invitation_counts"))["account/acc_1"]["times"]) == 2


async def test_each_index_of_a_growing_collection_begins_with_the_shard(
    database: Database,
) -> None:
    await migrate(database, STEPS, clock=SystemClock())
    await drop_step(EARLIER_INDEXES)(database)
    growing = set(await database.list_collection_names()) - GLOBAL
    assert growing >= {*OF_ACCOUNTS, "journal", "idempotency", "receipts", "invitation_counts"}
    for name in growing:
        async for index in database[name].list_indexes():
            check_index(name, index)


async def test_documents_of_an_earlier_replica_are_adopted_in_their_shard_only(
    database: Database,
) -> None:
    await migrate(database, STEPS, clock=SystemClock())
    store, here = Store(database), AccountId("acc_1")
    elsewhere = AccountId(
        next(f"acc_{n}" for n in range(SHARDS) if shard_of(f"acc_{n}") != shard_of(here))
    )

    async def save(session: DbSession) -> None:
        for account_id in (here, elsewhere):
            member = Membership(
                account_id=account_id,
                user_id=UserId("usr_1"),
                membership_id=MembershipId("mem_1"),
                role="viewer",
                email="ana@example.com",
                email_key="ana@example.com",
                name="Ana",
                joined_at=FAR,
            )
            await store.insert_member(member, rev=1, session=session)
            invitation = Invitation(
                account_id=account_id,
                invitation_id=InvitationId(f"inv_{account_id}"),
                email="ana@example.com",
                email_key="ana@example.com",
                role="viewer",
                delivery=Delivery.EMAIL,
                inviter_user_id=UserId("usr_1"),
                inviter_name="Ana",
                inviter_email="ana@example.com",
                created_at=FAR,
                expires_at=None,
            )
            await store.insert_invitation(invitation, now=FAR, session=session)

    await transact(database.client, save)
    for name in ("members", "invitations"):
        unset = dict.fromkeys(("shard", "name_key", "address_key", "over_at", "last_active_at"), "")
        await database[name].update_many({}, {"$unset": unset})
    assert not await store.members(here)

    adopt = adoption.adopts(database)
    await transact(database.client, lambda session: adopt(shard_of(here), session))

    assert [member.account_id for member in await store.members(here)] == [here]
    listed = MemberListQuery(
        field=MemberListField.NAME, descending=False, limit=9, role_keys={}, text="ana"
    )
    assert len(await store.list_members(here, listed, now=FAR)) == 1
    assert len(await store.list_invitations(here, listed, now=FAR)) == 1
    assert not await store.members(elsewhere)


async def test_earlier_members_and_invitations_get_what_their_list_needs(
    database: Database,
) -> None:
    """The ends of some earlier invitations are not known: their time or their creation counts."""
    ends = {"open": None, "expired": FAR - DAY, "endless": None, "revoked": FAR + DAY}
    earlier = {
        key: LISTED
        | {"expires_at": end, "email_key": key, "account_id": "acc_1"}
        | {"status": "pending" if key in {"open", "expired"} else "revoked"}
        for key, end in ends.items()
    }
    for shards in ({}, {"shard": shard_of("acc_1")}):
        prefix = f"{len(shards)}/"
        documents = [{"_id": prefix + key, **row, **shards} for key, row in earlier.items()]
        for document in documents:
            document["email_key"] = document["_id"]
        await database["invitations"].insert_many(documents)
        member = LISTED | {"account_id": "acc_1", **shards}
        await database["members"].insert_one({"_id": prefix + "member", **member})
    await migrate(database, STEPS, clock=SystemClock())

    members = await rows(database, "members")
    fields = ("name_key", "address_key", "last_active_at", "shard")
    expected = ("zoë", "zoe@x.example", FAR, shard_of("acc_1"))
    assert {tuple(row[field] for field in fields) for row in members.values()} == {expected}
    invitations = await rows(database, "invitations")
    over = {"open": None, "expired": FAR - DAY, "endless": FAR, "revoked": FAR + DAY}
    assert {key: row["over_at"] for key, row in invitations.items()} == {
        f"{number}/{key}": end for number in (0, 1) for key, end in over.items()
    }
    assert {row["name_key"] for row in invitations.values()} == {"zoe@x.example"}
    assert await updates_of_list_fields(database) == []
    assert await rows(database, "invitations") == invitations
    for name in ("members", "invitations"):
        await database[name].update_many({}, {"$unset": {"name_key": ""}})
    assert await updates_of_list_fields(database) == ["update invitations", "update members"]
    assert await rows(database, "invitations") == invitations


async def updates_of_list_fields(database: Database) -> list[str]:
    """Run the step, and return the statements by which it changes documents, in order of name."""
    trace = f"add-list-fields-{new_id('test')}"
    token = context.traceparent.set(trace)
    try:
        await add_list_fields(database)
    finally:
        context.traceparent.reset(token)
    sent = ROUND_TRIPS.of.pop(trace)
    return sorted(str(command) for command in sent if command.name == "update")


def test_the_table_of_updates_ends_with_the_last_step_of_team() -> None:
    text = (ROOT / "docs" / "operations" / "updating.md").read_text()
    table = text[text.index("| it prints |") :].partition("\n\n")[0]
    ranges = [line.split("|")[1].strip().split(" to ") for line in table.splitlines()[2:]]
    numbers = [[int(number) for number in one] for one in ranges]
    assert numbers[-1] == [len(STEPS)]
    assert [first for first, *_ in numbers] == [1, *(row[-1] + 1 for row in numbers[:-1])]
