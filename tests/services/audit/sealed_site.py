"""Records, sealers and exports of the audit log, as tests of the seal use them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rolecall.audit.notes import opened_checkpoint
from rolecall.audit.walk import Walk
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner
from services.audit.domain.records import record_of
from services.audit.domain.sealed_records import export_line, sealed_form
from services.audit.domain.tiles import hashes_in, tiles_of
from services.audit.use_cases.own_words import OwnWords
from services.audit.use_cases.sealing import RecordSealer
from shared.contracts.facts import shard_of
from shared.contracts.team import MemberRemoved
from tests.services.rows import EPOCH, NOON, row_of
from tests.support.journal_keys import verifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.audit.domain.records import Record

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEXT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)
ACCOUNT, OTHER = "acc_1", "acc_2"


def signer(key=KEY, *former):
    return CheckpointSigner(
        key,
        public_url="https://iam.example.com",
        former_keys=[each.public_key().public_bytes_raw() for each in former],
    )


def record(seq: int, *, account: str | None = ACCOUNT, **fields) -> Record:
    row = row_of(
        MEMBER,
        account_id=account,
        seq=seq,
        before={"role": "admin", "limits": [1, 2.5]},
        **{"shard": shard_of(ACCOUNT), **fields},
    )
    return record_of(row, recorded_at=NOON)


class Sealing:
    """A store with records, and sealers of it."""

    def __init__(self, auditing, folder):
        self.auditing, self.folder = auditing, folder
        self.store = auditing.ctx.store
        self.files = CheckpointFiles(folder)

    def sealer(self, *, using=None, files=None, page=50, **options) -> RecordSealer:
        return RecordSealer(
            self.auditing.client,
            self.store,
            using or signer(),
            files or self.files,
            self.auditing.clock,
            words=OwnWords(self.store, verifier()),
            page_records=page,
            **options,
        )

    async def add(self, *records: Record) -> None:
        client = self.auditing.client
        async with await client.start_session() as session, session.start_transaction():
            await self.store.add(records, session)

    async def applied(
        self, seq: int, *, epoch: str = EPOCH, shards: Iterable[int] = (shard_of(ACCOUNT),)
    ) -> None:
        """Say that the records up to this row are complete."""
        low = {str(shard): seq for shard in shards}
        await self.auditing.database["inbox_marks"].update_one(
            {"_id": "team"}, {"$set": {"epoch": epoch, "low": low}}, upsert=True
        )

    async def checkpoint(self, tree=ACCOUNT, using=None):
        stored = await self.store.checkpoint(tree)
        using = using or signer()
        return opened_checkpoint(stored.note, using.verifier_keys(tree)[0])

    async def lines(self, checkpoint, tree=ACCOUNT) -> list[str]:
        """The export of a tree, in the plainest way: each path from its tiles."""
        size = checkpoint.size
        walk, lines = Walk(size), []
        for seal in await self.store.seals(tree, first=0, limit=size):
            _, beside = walk.to(seal.index)
            names = [(tree, tile) for tile in tiles_of(beside)]
            tiles = {tile: nodes for (_, tile), nodes in (await self.store.tiles(names)).items()}
            path = [hashes_in(tiles)(each) for each in beside]
            found = await self.auditing.database["records"].find_one({"_id": seal.event_id})
            stored = await self.store.find(found["account_id"], seal.event_id)
            lines.append(json.dumps(export_line(sealed_form(stored), seal, path)))
        return lines


async def ids_of(sealing: Sealing, tree: str = ACCOUNT) -> list[str]:
    return [seal.event_id for seal in await sealing.store.seals(tree, first=0, limit=10_000)]


def ids(records: Iterable[Record]) -> list[str]:
    return [each.id for each in records]
