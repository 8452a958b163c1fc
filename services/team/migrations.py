"""The numbered steps that give team's database its form."""

import logging
from collections.abc import Callable

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from services.team.store.adoption import BATCH_SIZE, number_documents
from services.team.store.member_list import LIST_FIELDS
from shared import inbox, journal, leases
from shared.auth.row_signatures import RowSigner
from shared.contracts.facts import SHARDS, shard_of
from shared.http import idempotency
from shared.indexes import Index, drop_step, index_step
from shared.migrations import Migration, Phase
from shared.mongo import Collection, Database, Document, insert_missing, majority
from shared.names import name_key

_log = logging.getLogger(__name__)

CATALOGS = (Index(collection="catalogs", keys=(("name", 1),)),)
OWNERS = (
    Index(collection="owners", keys=(("shard", 1), ("_id", 1))),
    Index(collection="accounts", keys=(("offer_expires_at", 1),)),
)
"""Offers of an ownership whose time is over, which are in many shards."""
ALLOWANCES = (Index(collection="allowances", keys=(("expires_at", 1),), ttl_seconds=0),)
ENDED_SESSIONS = (Index(collection="ended_sessions", keys=(("expires_at", 1),), ttl_seconds=0),)
"""Of earlier versions, whose replicas may overlap with this one. It empties itself within minutes;
a process of this version follows identity in memory."""
MEMBERS_OF_USER = Index(collection="members", keys=(("user_id", 1),))
"""For the memberships of a user, which are in many shards."""
ACCOUNTS_OF_CATALOG = Index(collection="accounts", keys=(("catalog", 1), ("shard", 1), ("_id", 1)))
"""For the operator, who counts and moves the accounts of one version in all shards."""
IN_SHARDS = (
    *(
        Index(collection=name, keys=(("shard", 1), ("_id", 1)))
        for name in (
            "accounts",
            "members",
            "projects",
            "overrides",
            "invitation_counts",
            "idempotency",
            "receipts",
        )
    ),
    Index(collection="members", keys=(("shard", 1), ("account_id", 1), ("email_key", 1))),
    Index(
        collection="projects",
        keys=(("shard", 1), ("account_id", 1), ("name_key", 1)),
        unique=True,
    ),
    Index(collection="overrides", keys=(("shard", 1), ("account_id", 1), ("project_id", 1))),
    Index(collection="overrides", keys=(("shard", 1), ("account_id", 1), ("user_id", 1))),
    Index(
        collection="invitations",
        keys=(
            ("shard", 1),
            ("account_id", 1),
            ("status", 1),
            ("inviter_user_id", 1),
            ("expires_at", 1),
        ),
    ),
    Index(
        collection="invitations",
        keys=(("shard", 1), ("account_id", 1), ("email_key", 1)),
        name="one_pending_per_address_in_shard",
        unique=True,
        partial={"status": "pending"},
    ),
    Index(collection="invitation_counts", keys=(("expires_at", 1),), ttl_seconds=0),
)
"""Those of collections that grow with the accounts. The first ones are the keys of a sharded
database (`docs/decisions/0036-documents-carry-their-shard.md`). One that deletes has one field."""

RESOURCES = tuple(
    Index(collection="resources", keys=(("shard", 1), *((name, 1) for name in filters), ("_id", 1)))
    for filters in ((), ("owner_id",), ("project_id",), ("owner_id", "project_id"))
)
"""The list by type and id, which the `_id` begins with after the account, with each filter."""

EARLIER_INDEXES = {
    **journal.EARLIER_INDEXES,
    "accounts": ("slice_1_key_1",),
    "members": ("account_id_1_email_key_1", "slice_1_key_1"),
    "projects": ("account_id_1_name_key_1", "slice_1_key_1"),
    "overrides": ("account_id_1_project_id_1", "account_id_1_user_id_1", "slice_1_key_1"),
    "invitations": (
        "account_id_1_status_1_inviter_user_id_1_expires_at_1",
        "one_pending_per_address",
    ),
}
"""The indexes that the ones above replace."""
REPLACED = index_step()
"""Stands for a step that built some of them: it builds none in a new database."""
DELETIONS = (
    Index(
        collection="accounts",
        keys=(("shard", 1), ("deletes_at", 1)),
        partial={"status": "deleting"},
    ),
)
"""Accounts whose rows are to be deleted."""
MEMBER_LIST = (
    *(
        Index(
            collection="members", keys=(("shard", 1), ("account_id", 1), (field, 1), ("user_id", 1))
        )
        for field in ("name_key", "address_key", "role", "joined_at", "last_active_at")
    ),
    Index(
        collection="members",
        keys=(("shard", 1), ("account_id", 1), ("status", 1), ("expires_at", 1)),
    ),
    *(
        Index(
            collection="invitations",
            keys=(("shard", 1), ("account_id", 1), ("status", 1), (field, 1), ("_id", 1)),
        )
        for field in ("name_key", "role", "created_at")
    ),
    Index(
        collection="invitations",
        keys=(("shard", 1), ("account_id", 1), ("status", 1), ("expires_at", 1)),
    ),
)
"""The orders of the list of members and invitations, and what its counts read."""
OLD_INVITATIONS_SECONDS = 90 * 24 * 3600
"""How long an invitation is kept after it was answered or revoked, or has expired."""
OLD_INVITATIONS = (
    Index(collection="invitations", keys=(("over_at", 1),), ttl_seconds=OLD_INVITATIONS_SECONDS),
)

FORMER_MEMBERS = tuple(
    Index(collection=name, keys=(("shard", 1), (field, 1)))
    for name in ("former_members", "join_refusals")
    for field in ("_id", "account_id")
)
"""Found by `_id` at a sign-in, and by account when it is deleted."""


async def add_list_fields(database: Database) -> None:
    """Give members and invitations what their list is sorted and searched by.

    Each statement is about one shard, by the index of step 16: it ends in its time in a database of
    any size, also in SecantusDB, which reads all that a filter finds before it takes a page.
    """
    for name, fields_of in LIST_FIELDS.items():
        collection = majority(database, name)
        if await collection.find_one({}, {"_id": 1}) is None:
            continue
        for shard in range(SHARDS):
            await _add_fields(collection, shard, fields_of)


async def _add_fields(
    collection: Collection, shard: int, fields_of: Callable[[Document], Document]
) -> None:
    """Give the documents of a shard these fields, batch after batch."""
    after = ""
    while True:
        found = collection.find({"shard": shard, "_id": {"$gt": after}}).sort("_id", 1)
        rows = await found.limit(BATCH_SIZE).to_list(BATCH_SIZE)
        writes = [
            UpdateOne(
                {"_id": row["_id"], "shard": shard, "name_key": {"$exists": False}},
                {"$set": fields_of(row)},
            )
            for row in rows
            if "name_key" not in row
        ]
        if writes:
            await collection.bulk_write(writes)
        if len(rows) < BATCH_SIZE:
            return
        after = rows[-1]["_id"]


async def wrap_kept_invitations(database: Database) -> None:
    """Give the kept answers of invitations the form in which a repeat is answered now.

    Earlier versions kept the invitation alone, and added the note at each repeat.
    """
    keys = majority(database, "idempotency")
    async for kept in keys.find({"answer.delivery": {"$exists": True}}):
        invitation = kept["answer"]
        note = "shown-once" if invitation["delivery"] == "link" else None
        answer = {"invitation": invitation, "link": None, "note": note}
        await keys.update_one(
            {"_id": kept["_id"], "answer.delivery": {"$exists": True}}, {"$set": {"answer": answer}}
        )


async def recompute_project_keys(database: Database) -> None:
    """Give each project the key of its name in today's form, which ignores invisible characters.

    Where two projects of an account have one key now, the later one keeps its old key until it is
    renamed. New names are compared with names, not with keys.
    """
    projects = majority(database, "projects")
    async for project in projects.find({}, {"name": 1, "name_key": 1}).sort("_id", 1):
        key = name_key(project["name"])
        if key == project["name_key"]:
            continue
        try:
            await projects.update_one(
                {"_id": project["_id"], "name": project["name"]}, {"$set": {"name_key": key}}
            )
        except DuplicateKeyError:
            _log.warning("project %s keeps its old name key: another has it", project["_id"])


async def move_counts(database: Database) -> None:
    """Copy the counts of each account from `allowances`, which has those of mailboxes.

    A replica of an earlier version goes on counting there. Until it ends, it and this version count
    apart.
    """
    counts = majority(database, "invitation_counts")
    found = majority(database, "allowances").find({"_id": {"$regex": "^(account|mails)/"}})
    while batch := await found.to_list(BATCH_SIZE):
        await insert_missing(
            counts,
            [count | {"shard": shard_of(count["_id"].partition("/")[2])} for count in batch],
        )


def migrations(signer: RowSigner) -> tuple[Migration, ...]:
    """The steps; `signer` signs the rows of an earlier version."""
    return (
        Migration(1, "journal indexes", index_step(*journal.INDEXES)),
        Migration(2, "lease indexes", index_step(*leases.INDEXES)),
        Migration(3, "inbox indexes", index_step(*inbox.INDEXES)),
        Migration(4, "idempotency indexes", index_step(*idempotency.INDEXES)),
        Migration(5, "member indexes", index_step(MEMBERS_OF_USER)),
        Migration(6, "invitation indexes", REPLACED),
        Migration(7, "project indexes", REPLACED),
        Migration(8, "override indexes", REPLACED),
        Migration(9, "catalog indexes", index_step(*CATALOGS)),
        Migration(10, "allowance indexes", index_step(*ALLOWANCES)),
        Migration(11, "ended session indexes", index_step(*ENDED_SESSIONS)),
        Migration(12, "snapshot indexes", REPLACED),
        Migration(13, "kept invitation answers", wrap_kept_invitations),
        Migration(14, "project name keys", recompute_project_keys),
        Migration(15, "signed rows", journal.signing_step(signer)),
        Migration(16, "indexes in shards", index_step(*IN_SHARDS)),
        Migration(17, "numbers of shards", number_documents),
        Migration(18, "counts of accounts in shards", move_counts),
        Migration(19, "indexes of earlier versions", drop_step(EARLIER_INDEXES)),
        Migration(20, "accounts of a catalog", index_step(ACCOUNTS_OF_CATALOG)),
        Migration(21, "resource indexes", index_step(*RESOURCES)),
        Migration(22, "account deletion indexes", index_step(*DELETIONS)),
        Migration(23, "indexes of owners", index_step(*OWNERS)),
        Migration(24, "fields of the member list", add_list_fields),
        Migration(25, "member list indexes", index_step(*MEMBER_LIST)),
        Migration(26, "end of old invitations", index_step(*OLD_INVITATIONS)),
        Migration(27, "history indexes", index_step(*journal.HISTORY)),
        Migration(28, "former member indexes", index_step(*FORMER_MEMBERS)),
        Migration(29, "past external id indexes", index_step(*journal.PAST_NAMES)),
        Migration(30, "index of marks", drop_step(inbox.EARLIER_INDEXES), Phase.CONTRACT),
    )
