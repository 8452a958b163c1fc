"""The numbered steps that give team's database its form."""

import logging

from pymongo.errors import DuplicateKeyError

from shared import inbox, journal, leases
from shared.auth.row_signatures import RowSigner
from shared.http import idempotency
from shared.indexes import Index, index_step
from shared.migrations import Migration
from shared.mongo import Database, majority
from shared.names import name_key

_log = logging.getLogger(__name__)

MEMBERS = (
    Index(collection="members", keys=(("account_id", 1), ("email_key", 1))),
    Index(collection="members", keys=(("user_id", 1),)),
)
INVITATIONS = (
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
PROJECTS = (Index(collection="projects", keys=(("account_id", 1), ("name_key", 1)), unique=True),)
OVERRIDES = (
    Index(collection="overrides", keys=(("account_id", 1), ("project_id", 1))),
    Index(collection="overrides", keys=(("account_id", 1), ("user_id", 1))),
)
CATALOGS = (Index(collection="catalogs", keys=(("name", 1),)),)
ALLOWANCES = (Index(collection="allowances", keys=(("expires_at", 1),), ttl_seconds=0),)
ENDED_SESSIONS = (Index(collection="ended_sessions", keys=(("expires_at", 1),), ttl_seconds=0),)
"""Of earlier versions, whose replicas may overlap with this one. It empties itself within minutes;
a process of this version follows identity in memory."""
SNAPSHOT = tuple(
    Index(collection=name, keys=(("slice", 1), ("key", 1)))
    for name in ("accounts", "members", "projects", "overrides")
)
"""The order in which authz reads a snapshot."""


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


def migrations(signer: RowSigner) -> tuple[Migration, ...]:
    """The steps; `signer` signs the rows of an earlier version."""
    return (
        Migration(1, "journal indexes", index_step(*journal.INDEXES)),
        Migration(2, "lease indexes", index_step(*leases.INDEXES)),
        Migration(3, "inbox indexes", index_step(*inbox.INDEXES)),
        Migration(4, "idempotency indexes", index_step(*idempotency.INDEXES)),
        Migration(5, "member indexes", index_step(*MEMBERS)),
        Migration(6, "invitation indexes", index_step(*INVITATIONS)),
        Migration(7, "project indexes", index_step(*PROJECTS)),
        Migration(8, "override indexes", index_step(*OVERRIDES)),
        Migration(9, "catalog indexes", index_step(*CATALOGS)),
        Migration(10, "allowance indexes", index_step(*ALLOWANCES)),
        Migration(11, "ended session indexes", index_step(*ENDED_SESSIONS)),
        Migration(12, "snapshot indexes", index_step(*SNAPSHOT)),
        Migration(13, "kept invitation answers", wrap_kept_invitations),
        Migration(14, "project name keys", recompute_project_keys),
        Migration(15, "signed rows", journal.signing_step(signer)),
    )
