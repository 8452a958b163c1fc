"""The numbered steps that give notification's database its form."""

from datetime import timedelta

from shared import inbox, journal
from shared.auth.row_signatures import RowSigner
from shared.http import idempotency
from shared.indexes import Index, drop_step, index_step
from shared.migrations import Migration, Phase

MESSAGE_RETENTION = timedelta(days=90)
"""How long a finished message is kept; the audit log has its facts for longer."""

MESSAGES = (
    Index(
        collection="messages",
        keys=(("open", 1), ("due_at", 1)),
        name="due",
        partial={"open": True},
    ),
    Index(
        collection="messages",
        keys=(("finished_at", 1),),
        name="kept",
        ttl_seconds=int(MESSAGE_RETENTION.total_seconds()),
    ),
)

MESSAGES_OF_PEOPLE = (
    Index(collection="messages", keys=(("user_id", 1), ("_id", -1)), name="of_user"),
    Index(collection="messages", keys=(("recipient_key", 1), ("_id", -1)), name="to_address"),
)
"""The messages of a person, whom an export lists and an erasure deletes."""

PREFERENCES = (Index(collection="preferences", keys=(("off.account_id", 1),), name="of_account"),)
"""Who has switched mails of an account off: it is forgotten with the account."""

DIGESTS = (
    Index(
        collection="messages",
        keys=(("digest", 1), ("_id", 1)),
        name="of_digest",
        partial={"status": "listed"},
    ),
)
"""The messages that wait for a digest."""

PACES = (Index(collection="paces", keys=(("expires_at", 1),), name="expires_at", ttl_seconds=0),)
"""Paces without a mail of the last hour are deleted."""

PEOPLE = (
    Index(collection="people", keys=(("email_key", 1),), name="email_key"),
    Index(collection="people", keys=(("delete_at", 1),), name="delete_at", ttl_seconds=0),
)
"""People by address; erased ones are forgotten."""

WEBHOOKS = (
    Index(collection="webhooks", keys=(("account_id", 1), ("_id", 1)), name="of_account"),
    Index(
        collection="deliveries",
        keys=(("open", 1), ("due_at", 1), ("webhook_id", 1)),
        name="due",
        partial={"open": True},
    ),
    Index(collection="deliveries", keys=(("webhook_id", 1), ("_id", -1)), name="of_webhook"),
    Index(
        collection="deliveries",
        keys=(("webhook_id", 1), ("status", 1), ("_id", -1)),
        name="of_webhook_by_status",
    ),
    Index(
        collection="deliveries",
        keys=(("webhook_id", 1), ("event_type", 1), ("created_at", 1)),
        name="of_webhook_by_type",
    ),
    Index(collection="deliveries", keys=(("account_id", 1),), name="of_account"),
    Index(collection="deliveries", keys=(("delete_at", 1),), name="kept", ttl_seconds=0),
)

ENTRIES = (
    Index(collection="entries", keys=(("user_id", 1), ("_id", -1)), name="of_user"),
    Index(
        collection="entries",
        keys=(("user_id", 1), ("account_id", 1), ("_id", -1)),
        name="of_user_in_account",
    ),
    Index(
        collection="entries",
        keys=(("user_id", 1), ("unread", 1), ("_id", -1)),
        name="unread_of_user",
    ),
    Index(collection="entries", keys=(("delete_at", 1),), name="kept", ttl_seconds=0),
)
"""The list of a person, and the end of its entries."""

NUMBERS = (
    Index(collection="entries", keys=(("user_id", 1), ("number", 1)), name="by_number_of_user"),
)
"""The entries of a person in the order in which they were saved."""


def migrations(signer: RowSigner) -> tuple[Migration, ...]:
    """The steps; `signer` signs the rows of an earlier version."""
    return (
        Migration(1, "journal indexes", index_step(*journal.INDEXES)),
        Migration(2, "inbox indexes", index_step(*inbox.INDEXES)),
        Migration(3, "message indexes", index_step(*MESSAGES)),
        Migration(4, "signed rows", journal.signing_step(signer)),
        Migration(5, "pace indexes", index_step(*PACES)),
        Migration(6, "indexes of earlier versions", drop_step(journal.EARLIER_INDEXES)),
        Migration(7, "idempotency indexes", index_step(*idempotency.INDEXES)),
        Migration(8, "people indexes", index_step(*PEOPLE)),
        Migration(9, "webhook indexes", index_step(*WEBHOOKS)),
        Migration(10, "entry indexes", index_step(*ENTRIES)),
        Migration(11, "indexes of messages of people", index_step(*MESSAGES_OF_PEOPLE)),
        Migration(12, "entries by number", index_step(*NUMBERS)),
        Migration(13, "preference indexes", index_step(*PREFERENCES)),
        Migration(14, "digest indexes", index_step(*DIGESTS)),
        Migration(15, "index of marks", drop_step(inbox.EARLIER_INDEXES), Phase.CONTRACT),
    )
