"""A program that seals and signs the records of an audit log, and kills itself at a given point.

The records are there already. It prints nothing: what it did is in the database and the folder.
"""

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner, TreeHead
from services.audit.store import Store
from services.audit.use_cases.own_words import OwnWords
from services.audit.use_cases.sealing import RecordSealer
from shared.clock import SystemClock
from shared.inbox import AWAY
from shared.mongo import DbSession, connect
from tests.faults.crashes import die
from tests.patience import PATIENT
from tests.support.journal_keys import verifier

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_URL = "https://iam.example.com"
PAGE = 7
"""The records of one transaction: a round has several."""


class SealPoint(StrEnum):
    """Where the sealer dies; with `NONE` it makes a whole round."""

    NONE = "none"
    INSIDE_SEAL = "inside the second batch of seals"
    BETWEEN_BATCHES = "after the first batch of seals"
    SEALED = "sealed, before a checkpoint"
    SIGNED = "checkpoint signed, before it is kept anywhere"
    IN_FOLDER = "checkpoint in the folder, before the database has it"
    STORED = "checkpoint stored, its tree still marked as unsigned"


class CrashingStore(Store):
    """The store of audit, until the given point."""

    point = SealPoint.NONE
    batches = 0

    async def grow(
        self,
        grown: Sequence[tuple[TreeHead, TreeHead]],
        tiles: Mapping[Any, bytes],
        seals: Sequence[Any],
        session: DbSession,
    ) -> None:
        """Save a batch; the transaction is not committed yet."""
        self.batches += 1
        await super().grow(grown, tiles, seals, session)
        if self.point is SealPoint.INSIDE_SEAL and self.batches == 2:
            die()

    async def sealed(self, places: Any, session: DbSession) -> Any:
        """Begin a batch: what was before is committed."""
        if self.point is SealPoint.BETWEEN_BATCHES and self.batches == 1:
            die()
        return await super().sealed(places, session)

    async def unsigned(self, limit: int, **without: Any) -> list[TreeHead]:
        """Find the trees that have grown."""
        if self.point is SealPoint.SEALED:
            die()
        return await super().unsigned(limit, **without)

    async def add_checkpoints(self, signed: Sequence[tuple[TreeHead, str]], **at: Any) -> None:
        """Store checkpoints, which are in the folder."""
        if self.point is SealPoint.IN_FOLDER:
            die()
        await super().add_checkpoints(signed, **at)
        if self.point is SealPoint.STORED:
            trees = {"_id": {"$in": [head.tree for head, _ in signed]}}
            await self._trees.update_many(trees, {"$set": {"unsigned": True}})
            die()


class CrashingFiles(CheckpointFiles):
    """The folder of checkpoints, until the given point."""

    point = SealPoint.NONE

    async def append(self, tree: str, note: str) -> None:
        """Append a note."""
        if self.point is SealPoint.SIGNED:
            die()
        await super().append(tree, note)


async def main(mongo_url: str, database: str, folder: str, point: str) -> None:
    """Make one round."""
    client = connect(mongo_url, app_name="crashing-sealer", timeouts=PATIENT)
    store, files = CrashingStore(client[database]), CrashingFiles(Path(folder))
    store.point = files.point = SealPoint(point)
    signer = CheckpointSigner(KEY, public_url=PUBLIC_URL, former_keys=())
    words = OwnWords(store, verifier())
    sealer = RecordSealer(
        client, store, signer, files, SystemClock(), words=words, page_records=PAGE
    )
    whole = False
    while not whole:  # as the loop of the service, which goes on when the database is back
        with contextlib.suppress(*AWAY):
            await sealer.round()
            whole = True
    client.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
