"""The migration that signs the rows of an earlier version and makes a chain of each shard."""

import json

from shared.auth.row_signatures import RowSigner
from shared.contracts.facts import GENESIS, row_digest
from shared.indexes import Step
from shared.mongo import Collection, Database, Document, majority, update_each

BATCH_SIZE = 200


def signing_step(signer: RowSigner) -> Step:
    """Make the step for one source.

    A signed row stays as it is, so the step can be repeated and can run beside itself: both runs
    compute the same event. Ids and sequences do not change. In the heads `seq` becomes `last_seq`:
    a replica of an earlier version, which would go on without signatures, can then write no more.
    """

    async def sign_rows(database: Database) -> None:
        journal, heads = majority(database, "journal"), majority(database, "heads")
        while head := await heads.find_one({"seq": {"$exists": True}}):
            shard = head["_id"]
            seq, digest = await _sign_shard(journal, shard, signer)
            # It does not match when a replica of an earlier version has written meanwhile.
            await heads.update_one(
                {"_id": shard, "seq": seq},
                {"$set": {"last_seq": seq, "digest": digest}, "$unset": {"seq": ""}},
            )

    return sign_rows


async def _sign_shard(journal: Collection, shard: int, signer: RowSigner) -> tuple[int, str]:
    """Sign the rows of a shard in their order; return the last one's sequence and digest."""
    previous, after = GENESIS, 0
    while True:
        found = journal.find({"shard": shard, "seq": {"$gt": after}}).sort("seq", 1)
        stored = await found.limit(BATCH_SIZE).to_list(BATCH_SIZE)
        if not stored:
            return after, previous
        signed: list[tuple[Document, Document]] = []
        for row in stored:
            event = row["event"].encode()
            if "signature" not in row:
                event = _with_previous(event, previous)
                change = {"event": event.decode(), "signature": signer.signature(event)}
                unsigned = {"_id": row["_id"], "signature": {"$exists": False}}
                signed.append((unsigned, {"$set": change}))
            previous, after = row_digest(event), row["seq"]
        await update_each(journal, signed)


def _with_previous(event: bytes, previous: str) -> bytes:
    content = json.loads(event)
    content["data"]["previous"] = previous
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
