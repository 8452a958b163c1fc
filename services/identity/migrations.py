"""The numbered steps that give identity's database its form."""

from services.identity.domain.token_expiry import TERMS
from services.identity.store.adoption import number_documents
from services.identity.store.former_addresses import list_former_addresses
from shared import inbox, journal, leases
from shared.auth.row_signatures import RowSigner
from shared.http import idempotency
from shared.indexes import Index, drop_step, index_step
from shared.migrations import Migration, Phase
from shared.mongo import Database, majority

USERS = (Index(collection="users", keys=(("lapses_at", 1),), name="lapses", ttl_seconds=0),)
"""Earlier versions kept users who had not verified their address, until `lapses_at`.

In a database of an earlier version the index `verified_address` of this step stays. Replicas of
that version keep an address to one user only by it. It goes by hand when none runs any more
(`docs/operations/scaling.md`).
"""

IN_SHARDS = (
    *(
        Index(collection=name, keys=(("shard", 1), ("_id", 1)))
        for name in ("users", "sessions", "idempotency", "receipts")
    ),
    Index(
        collection="sessions",
        keys=(("shard", 1), ("user_id", 1), ("ended", 1), ("account_id", 1)),
        name="user_account_in_shard",
    ),
)
"""Those of collections that grow with the users. The first ones are the keys of a sharded database
(`docs/decisions/0059-documents-of-a-user-carry-their-shard.md`)."""

EARLIER_INDEXES = {"users": ("address",), "sessions": ("user_account",)}
"""The indexes of the steps 4 and 5 that nothing needs any more."""

IMPORTED_PASSWORDS = (
    Index(
        collection="users",
        keys=(("password_imported", 1),),
        name="imported_passwords",
        partial={"password_imported": True},
    ),
)
"""The users who have not signed in yet with a password of another system, in any shard."""

EXTERNAL_IDS = (
    Index(
        collection="external_ids",
        keys=(("client_id", 1), ("user_id", 1)),
        name="one_per_user",
        unique=True,
    ),
)
"""A client knows a user by one external id."""

EXTERNAL_IDS_OF_USERS = (Index(collection="external_ids", keys=(("user_id", 1),), name="of_user"),)
"""The external ids of a user, which are deleted with them."""

SIGN_UPS = (
    Index(collection="sign_ups", keys=(("email_key", 1),), name="address", unique=True),
    Index(collection="sign_ups", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),
)
"""One pending sign-up for each address; it is deleted at its end."""

SESSIONS = (
    Index(collection="sessions", keys=(("ended", 1), ("end_key", 1)), name="ended"),
    Index(collection="sessions", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),
)
"""Ended sessions in the order of their end, which are in many shards; old ones are deleted."""

SESSIONS_OF_ACCOUNTS = (
    Index(collection="sessions", keys=(("account_id", 1), ("ended", 1)), name="account"),
)
"""The sessions of all users in an account, which are in many shards."""

API_TOKENS = (
    Index(collection="api_tokens", keys=(("shard", 1), ("_id", 1)), name="shard"),
    Index(
        collection="api_tokens",
        keys=(("shard", 1), ("user_id", 1), ("account_id", 1), ("ended", 1)),
        name="live",
    ),
    Index(
        collection="api_tokens",
        keys=(("shard", 1), ("user_id", 1), ("account_id", 1), ("list_key", 1)),
        name="listed_of_user",
    ),
    Index(collection="api_tokens", keys=(("account_id", 1), ("list_key", 1)), name="listed"),
    Index(collection="api_tokens", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),
)
"""The tokens of a shard, of a user in an account, and of an account; old ones are deleted."""

API_TOKEN_NOTICES = (
    Index(collection="api_tokens", keys=(("shard", 1), ("notice_at", 1)), name="notice"),
)
"""The tokens of a shard in the order in which mails about their end are due."""

OWN_SESSIONS = (
    Index(
        collection="sessions",
        keys=(("shard", 1), ("user_id", 1), ("ended", 1), ("_id", 1)),
        name="listed_of_user",
    ),
)
"""The live sessions of a user, the newest first."""
DISABLED_USERS = (
    Index(
        collection="users",
        keys=(("shard", 1), ("disabled", 1), ("_id", 1)),
        name="disabled",
        partial={"disabled": True},
    ),
    Index(collection="counters", keys=(("about", 1),), name="about"),
)
"""The disabled users of a shard, and the counters of one address, which an unlock deletes."""

FACTORS = (Index(collection="factors", keys=(("shard", 1), ("_id", 1)), name="shard"),)
"""The second factors of a shard."""

SIGNING_KEYS = (Index(collection="signing_keys", keys=(("slot", 1),), name="slot", unique=True),)
"""Replicas that start at once make one first key."""

SIGNING_KEY_ENDS = (
    Index(collection="signing_keys", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),
)
"""Retired keys are deleted when no token of theirs can be valid."""

COUNTERS = (Index(collection="counters", keys=(("ends_at", 1),), name="ends", ttl_seconds=0),)
"""Counters whose window is over are deleted."""

IDENTITIES = (
    Index(collection="identities", keys=(("user_id", 1), ("linked_at", 1)), name="of_user"),
    Index(collection="used_sign_ins", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),
)
"""The identities of a user; used sign-ins with issuers are deleted when they are too old."""

REVOKED_TOKENS = (
    Index(collection="revoked_tokens", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),
)
"""Revoked access tokens whose time is over are deleted."""

SSO_CONNECTIONS = (
    Index(collection="sso_connections", keys=(("account_id", 1),), name="of_account"),
)
"""The connections of an account with issuers."""

FAREWELLS = (
    Index(collection="farewells", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),
)
"""Names and addresses for a last mail are deleted."""

DECOYS = (Index(collection="decoys", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),)
"""Writes that only cost time are deleted."""


async def give_notices(database: Database) -> None:
    """Give tokens of earlier versions the moment of their first mail, seven days before the end."""
    earlier = {"ended": False, "notice_at": {"$exists": False}}
    tokens = majority(database, "api_tokens")
    async for token in tokens.find(earlier, {"expires_at": 1}):
        await tokens.update_one(
            {"_id": token["_id"], **earlier},
            {"$set": {"notice_at": token["expires_at"] - TERMS[0]}},
        )


async def delete_unverified_users(database: Database) -> None:
    """Delete the users of the earlier form of sign-up whose address is not proved.

    Each has a password that a stranger may have chosen. A person among them signs up again.
    """
    await majority(database, "users").delete_many({"verified": False})


def migrations(signer: RowSigner) -> tuple[Migration, ...]:
    """The steps; `signer` signs the rows of an earlier version."""
    return (
        Migration(1, "journal indexes", index_step(*journal.INDEXES)),
        Migration(2, "lease indexes", index_step(*leases.INDEXES)),
        Migration(3, "inbox indexes", index_step(*inbox.INDEXES)),
        Migration(4, "user indexes", index_step(*USERS)),
        Migration(5, "session indexes", index_step(*SESSIONS)),
        Migration(6, "signing key indexes", index_step(*SIGNING_KEYS)),
        Migration(7, "counter indexes", index_step(*COUNTERS)),
        Migration(8, "sign-up indexes", index_step(*SIGN_UPS)),
        Migration(9, "no unverified users", delete_unverified_users),
        Migration(10, "signed rows", journal.signing_step(signer)),
        Migration(11, "idempotency indexes", index_step(*idempotency.INDEXES)),
        Migration(12, "decoy indexes", index_step(*DECOYS)),
        Migration(13, "indexes of earlier versions", drop_step(journal.EARLIER_INDEXES)),
        Migration(14, "sessions of accounts", index_step(*SESSIONS_OF_ACCOUNTS)),
        Migration(15, "imported password indexes", index_step(*IMPORTED_PASSWORDS)),
        Migration(16, "external id indexes", index_step(*EXTERNAL_IDS)),
        Migration(17, "indexes in shards", index_step(*IN_SHARDS)),
        Migration(18, "numbers of shards and addresses", number_documents),
        Migration(19, "indexes of one user in one shard", drop_step(EARLIER_INDEXES)),
        Migration(20, "API token indexes", index_step(*API_TOKENS)),
        Migration(21, "session list indexes", index_step(*OWN_SESSIONS)),
        Migration(22, "identity indexes", index_step(*IDENTITIES)),
        Migration(23, "revoked token indexes", index_step(*REVOKED_TOKENS)),
        Migration(24, "disabled user indexes", index_step(*DISABLED_USERS)),
        Migration(25, "second factor indexes", index_step(*FACTORS)),
        Migration(26, "connection indexes", index_step(*SSO_CONNECTIONS)),
        Migration(27, "ends of signing keys", index_step(*SIGNING_KEY_ENDS)),
        Migration(28, "external ids of users", index_step(*EXTERNAL_IDS_OF_USERS)),
        Migration(29, "API token notice indexes", index_step(*API_TOKEN_NOTICES)),
        Migration(30, "notices of earlier API tokens", give_notices),
        Migration(31, "lists of former addresses", list_former_addresses),
        Migration(32, "farewell indexes", index_step(*FAREWELLS)),
        Migration(33, "index of marks", drop_step(inbox.EARLIER_INDEXES), Phase.CONTRACT),
    )
