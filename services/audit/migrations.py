"""The numbered steps that give audit's database its form."""

from services.audit.domain.reports import MARK_DAYS
from services.audit.store.adoption import add_terms, note_erased, note_gaps
from shared import inbox, journal
from shared.auth.row_signatures import RowSigner
from shared.http import idempotency
from shared.indexes import Index, drop_step, index_step
from shared.migrations import Migration, Phase

SEARCHED = ("actor_id", "action", "terms")
"""What records are found by, or told apart; each has its index within an account, by time."""
EARLIER_INDEXES = {
    "records": tuple(
        f"by_{field}"
        for field in (
            "noun",
            "resource_type",
            "resource_id",
            "project_id",
            "outcome",
            "request_id",
        )
    )
}
"""What the terms of a record have made superfluous."""

READING_SECONDS = 3600
"""How long the record of a reading is remembered, so that it is made once."""

RECORDS = (
    Index(collection="records", keys=(("account_id", 1), ("order", 1)), name="by_time"),
    *(
        Index(
            collection="records",
            keys=(("account_id", 1), (field, 1), ("order", 1)),
            name=f"by_{field}",
        )
        for field in SEARCHED
    ),
    Index(
        collection="records",
        keys=(("account_id", 1), ("actor.on_behalf_of", 1), ("order", 1)),
        name="by_on_behalf_of",
        partial={"actor.on_behalf_of": {"$gt": ""}},
    ),
)
PEOPLE = (Index(collection="people", keys=(("email", 1),), name="by_address"),)
READINGS = (
    Index(collection="readings", keys=(("at", 1),), name="kept", ttl_seconds=READING_SECONDS),
)
DENIAL_BATCH_SECONDS = 7 * 24 * 3600
"""How long a batch of denials is remembered, so that it is recorded once."""
DENIAL_BATCHES = (
    Index(
        collection="denial_batches",
        keys=(("at", 1),),
        name="kept",
        ttl_seconds=DENIAL_BATCH_SECONDS,
    ),
)
REPORTS = (
    Index(
        collection="reports",
        keys=(("at", 1),),
        name="kept",
        ttl_seconds=MARK_DAYS * 24 * 3600,
    ),
)
USAGE = (Index(collection="usage", keys=(("account_id", 1), ("day", 1)), name="by_day"),)

BY_POSITION = Index(
    collection="records",
    keys=tuple((f"position.{part}", 1) for part in ("source", "epoch", "shard", "seq")),
    name="by_position",
)
"""The order in which records are sealed."""
BY_LEAF = Index(collection="seals", keys=(("tree", 1), ("index", 1)), name="by_leaf")
"""Not unique, which would cost as much again: a transaction expects the heads that it has read."""
UNIQUE_BY_LEAF = Index(
    collection="seals", keys=(("tree", 1), ("index", 1)), name="by_index", unique=True
)
"""The form of earlier versions."""
SEALS = (
    BY_POSITION,
    UNIQUE_BY_LEAF,
    Index(collection="seal_progress", keys=(("source", 1), ("epoch", 1)), name="by_epoch"),
    Index(collection="checkpoints", keys=(("tree", 1), ("size", 1)), name="by_size"),
    Index(
        collection="trees",
        keys=(("unsigned", 1),),
        name="unsigned",
        partial={"unsigned": True},
    ),
)

CHECKPOINTS = (
    Index(
        collection="trees",
        keys=(("inconsistent", 1), ("_id", 1)),
        name="inconsistent",
        partial={"inconsistent": True},
    ),
    Index(
        collection="checkpoint_deliveries",
        keys=(("day", 1),),
        name="by_day",
        partial={"daily": True},
    ),
)

ERASURES = (
    Index(collection="erasures", keys=(("version", 1),), name="by_version"),
    Index(
        collection="erasures",
        keys=(("noted_at", 1),),
        name="open",
        partial={"open": True},
    ),
)
STREAMS = (
    Index(collection="streams", keys=(("account_id", 1), ("_id", 1)), name="of_account"),
    Index(
        collection="streams",
        keys=(("open", 1), ("_id", 1)),
        name="open",
        partial={"open": True},
    ),
)
"""The streams of an account, and those that the sender looks at."""
SAVED_SEARCHES = (
    Index(
        collection="saved_searches",
        keys=(("account_id", 1), ("created_by", 1), ("_id", 1)),
        name="of_member",
    ),
    Index(
        collection="saved_searches",
        keys=(("account_id", 1), ("_id", 1)),
        name="shared",
        partial={"shared": True},
    ),
)
"""The searches of a member, and those that all readers of a log see."""


def migrations(signer: RowSigner) -> tuple[Migration, ...]:
    """The steps; `signer` signs the rows of an earlier version."""
    return (
        Migration(1, "journal indexes", index_step(*journal.INDEXES)),
        Migration(2, "inbox indexes", index_step(*inbox.INDEXES)),
        Migration(3, "record indexes", index_step(*RECORDS)),
        Migration(4, "people indexes", index_step(*PEOPLE)),
        Migration(5, "reading indexes", index_step(*READINGS)),
        Migration(6, "signed rows", journal.signing_step(signer)),
        Migration(7, "indexes of earlier versions", drop_step(journal.EARLIER_INDEXES)),
        Migration(8, "denial batch indexes", index_step(*DENIAL_BATCHES)),
        Migration(9, "report indexes", index_step(*REPORTS)),
        Migration(10, "seal indexes", index_step(*SEALS)),
        Migration(11, "terms of records", add_terms),
        Migration(12, "index of terms", index_step(*RECORDS)),
        Migration(13, "indexes that terms replace", drop_step(EARLIER_INDEXES)),
        Migration(14, "usage indexes", index_step(*USAGE)),
        Migration(15, "seal gaps", note_gaps),
        Migration(16, "checkpoint indexes", index_step(*CHECKPOINTS)),
        Migration(17, "erasure indexes", index_step(*ERASURES)),
        Migration(18, "people who were erased before", note_erased),
        Migration(19, "stream indexes", index_step(*STREAMS)),
        Migration(20, "idempotency indexes", index_step(*idempotency.INDEXES)),
        Migration(21, "saved search indexes", index_step(*SAVED_SEARCHES)),
        Migration(22, "index of seals", index_step(BY_LEAF), Phase.EXPAND),
        Migration(
            23,
            "unique index of seals",
            drop_step({"seals": (UNIQUE_BY_LEAF.name,)}),
            Phase.CONTRACT,
        ),
        Migration(24, "index of marks", drop_step(inbox.EARLIER_INDEXES), Phase.CONTRACT),
    )
