"""Seal records: append them to the trees of their accounts, and sign checkpoints.

One replica is elected. If two seal at once, their transactions exclude each other.
"""

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from rolecall.audit import trees
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner, InconsistentTree, TreeHead
from services.audit.domain.records import Record
from services.audit.domain.sealed_records import (
    Form,
    Seal,
    leaf,
    salt_bytes,
    salts_for,
    sealed_form,
    tree_of,
)
from services.audit.domain.tiles import Tile, grow, growing_tiles, hashes_in, tiles_of
from services.audit.store import Store
from shared import metrics
from shared.clock import Clock
from shared.contracts.facts import SHARDS, Position
from shared.contracts.topology import Service
from shared.elections import Election
from shared.mongo import AlreadyThere, DatabaseWatch, DbClient, DbSession, transact

SEAL_SECONDS = 1.0
"""The pause between two rounds: an account has at most one checkpoint in it."""
PAGE_RECORDS = 200
"""The records of one transaction."""
SIGNED_AT_ONCE = 200
"""The checkpoints that are signed in one round at most."""
LAST = 2**62
"""After every sequence: an epoch that is over is sealed to its end."""

_log = logging.getLogger(__name__)


class RecordSealer:
    """Appends the recorded rows to the trees, and signs what has grown."""

    def __init__(
        self,
        client: DbClient,
        store: Store,
        signer: CheckpointSigner,
        files: CheckpointFiles,
        clock: Clock,
        *,
        page_records: int = PAGE_RECORDS,
    ) -> None:
        self._client = client
        self._store = store
        self._signer = signer
        self._files = files
        self._clock = clock
        self._page_records = page_records
        self._seen: dict[tuple[str, str], dict[int, int]] = {}
        """How far the epochs of the sources are sealed, as this process knows."""
        self._alarmed: set[str] = set()

    async def round(self) -> None:
        """Seal what is recorded without a gap, and sign the trees that have grown."""
        await self.seal()
        await self.sign()

    async def seal(self) -> None:
        """Append every record that is recorded without a gap to its tree."""
        for source, (current, applied) in (await self._store.applied()).items():
            if (source, current) not in self._seen:
                await self._seal_former_epochs(source, current)
            await self._seal_epoch(source, current, applied)

    async def _seal_former_epochs(self, source: str, current: str) -> None:
        """Seal what is recorded of epochs that are over: nothing of them is recorded any more."""
        for epoch in await self._store.epochs(source):
            if epoch != current:
                await self._seal_epoch(source, epoch, dict.fromkeys(range(SHARDS), LAST))

    async def _seal_epoch(self, source: str, epoch: str, until: dict[int, int]) -> None:
        seen = self._seen.pop((source, epoch), None)
        if seen is None:
            seen = await self._store.sealed_until(source, epoch)
        for shard, end in until.items():
            place = Position(source, epoch, shard, end)
            while seen.get(shard, 0) < end:
                try:
                    seen[shard] = await self._seal_page(place)
                except AlreadyThere:
                    _log.info("Another sealer was first; its progress is read in the next round.")
                    return
        self._seen[source, epoch] = seen

    async def _seal_page(self, end: Position) -> int:
        """Seal the next records of a shard; return how far it is sealed now."""
        return await transact(self._client, partial(self._append, end))

    async def _append(self, end: Position, session: DbSession) -> int:
        expected = await self._store.sealed(end, session)
        after = expected or 0
        if after >= end.seq:
            return after
        records = await self._store.recorded_between(
            end._replace(seq=after), end.seq, limit=self._page_records, session=session
        )
        full = len(records) == self._page_records
        reached = records[-1].position.seq if full else end.seq
        await self._store.advance(end._replace(seq=reached), expected=expected, session=session)
        if records:
            await self._grow(records, session)
        return reached

    async def _grow(self, records: Sequence[Record], session: DbSession) -> None:
        """Append records, in their order, each to the tree of its account."""
        of_tree: defaultdict[str, list[Form]] = defaultdict(list)
        for record in records:
            of_tree[tree_of(record)].append(sealed_form(record))
        before = await self._store.heads(of_tree.keys(), session)
        names = [(tree, tile) for tree in of_tree for tile in growing_tiles(before[tree].size)]
        stored = await self._store.tiles(names, session)
        grown: list[tuple[TreeHead, TreeHead]] = []
        changed: dict[tuple[str, Tile], bytes] = {}
        seals: list[Seal] = []
        for tree, forms in of_tree.items():
            head = before[tree]
            own = {tile: stored[tree, tile] for name, tile in names if name == tree}
            new = [_seal(tree, head.size + at, form) for at, form in enumerate(forms)]
            growing = head.growing()
            leaves = [leaf(form, seal) for form, seal in zip(forms, new, strict=True)]
            for tile in grow(growing, own, leaves):
                changed[tree, tile] = own[tile]
            grown.append((head, TreeHead(tree, growing.size, tuple(growing.peaks))))
            seals += new
        await self._store.grow(grown, changed, seals, session)

    async def sign(self) -> None:
        """Sign a checkpoint of each tree that has grown."""
        heads = await self._store.unsigned(SIGNED_AT_ONCE)
        failed = {head.tree for head in heads if not await self._sign(head)}
        self._alarmed &= failed | {head.tree for head in heads}
        metrics.INCONSISTENT_TREES.labels(Service.AUDIT).set(len(self._alarmed))

    async def _sign(self, head: TreeHead) -> bool:
        stored = await self._store.checkpoint(head.tree)
        kept = await self._files.last(head.tree)
        earlier = [note for note in (kept, stored and stored.note) if note]
        try:
            note = await self._note(head, earlier)
        except InconsistentTree as alarm:
            if head.tree not in self._alarmed:
                _log.error("No checkpoint is signed: %s", alarm, extra={"tree": head.tree})
            self._alarmed.add(head.tree)
            return False
        self._alarmed.discard(head.tree)
        # Kept elsewhere first: what is shown to anyone is in the file.
        await self._files.append(head.tree, note)
        await self._store.add_checkpoint(head, note, now=self._clock.now())
        return True

    async def _note(self, head: TreeHead, earlier: Sequence[str]) -> str:
        parts = [
            part
            for note in earlier
            for part in trees.consistency_parts(
                self._signer.opened(head.tree, note).size, head.size
            )
        ]
        names = [(head.tree, tile) for tile in tiles_of(parts)]
        tiles = {tile: nodes for (_, tile), nodes in (await self._store.tiles(names)).items()}
        return self._signer.signed(head, earlier, hashes_in(tiles))


async def run_sealer(sealer: RecordSealer, office: Election) -> None:
    """Seal and sign once a second, while this process is elected. Never ends."""
    database = DatabaseWatch("Records wait for their seals.", transactions=True)
    metrics.start_at_zero(metrics.INCONSISTENT_TREES, [Service.AUDIT])
    while True:
        with database.round():
            if await office.won():
                await sealer.round()
        await asyncio.sleep(SEAL_SECONDS)


def _seal(tree: str, index: int, form: Form) -> Seal:
    salts = salts_for(form, os.urandom(salt_bytes(form)))
    return Seal(event_id=form["id"], tree=tree, index=index, salts=salts)
