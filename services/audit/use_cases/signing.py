"""Sign checkpoints of the trees that have grown."""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rolecall.audit import trees
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner, InconsistentTree, TreeHead
from services.audit.domain.tiles import Tile, hashes_in, tiles_of
from services.audit.store import Store
from shared import metrics
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.outage_log import OutageLog

SIGNED_AT_ONCE = 200
"""The checkpoints that are signed in one round at most."""
SAVED_AT_ONCE = 50
"""The checkpoints that are saved together."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Continued:
    """A tree with its last checkpoints, which the next one must continue."""

    head: TreeHead
    earlier: Sequence[str]
    ended: str | None
    """The note that a restore has ended; an operator has accepted that."""
    tiles: frozenset[Tile]
    """What the next one is proved from."""


class TreeSigner:
    """Signs a checkpoint of each tree that has grown, and keeps it in its file, then in the store.

    A tree with an alarm, or whose file cannot be used, is looked at again after a while: it does
    not keep the others waiting.
    """

    def __init__(
        self,
        store: Store,
        signer: CheckpointSigner,
        files: CheckpointFiles,
        clock: Clock,
        *,
        signed_at_once: int,
        looked_at_again: int,
    ) -> None:
        self._store = store
        self._signer = signer
        self._files = files
        self._clock = clock
        self._signed_at_once = signed_at_once
        self._looked_at_again = looked_at_again
        self._rounds = 0
        self._alarmed: set[str] = set()
        self._without_file: set[str] = set()
        """Trees whose files cannot be used, while the folder takes those of others."""
        self._passed_over: set[str] = set()
        self._folder = OutageLog(_log, "The folder of checkpoints", effect="None is signed.")

    async def sign(self) -> None:
        """Sign a checkpoint of each tree that has grown and whose file takes it."""
        if self._rounds % self._looked_at_again == 0:
            self._passed_over.clear()
        self._rounds += 1
        heads = await self._store.unsigned(self._signed_at_once, without=self._passed_over)
        try:
            for start in range(0, len(heads), SAVED_AT_ONCE):
                await self._sign(heads[start : start + SAVED_AT_ONCE])
        except OSError as problem:
            self._folder.away(problem)
            return
        metrics.INCONSISTENT_TREES.labels(Service.AUDIT).set(len(self._alarmed))
        metrics.CHECKPOINT_FILES_UNUSABLE.labels(Service.AUDIT).set(len(self._without_file))

    async def _sign(self, heads: Sequence[TreeHead]) -> None:
        """Sign some trees.

        Raises:
            OSError: the folder is away. What it has taken before that is stored.
        """
        found = [await self._unless_stuck(head, self._continued(head)) for head in heads]
        continued = [each for each in found if each is not None]
        tiles = await self._store.tiles(
            (each.head.tree, tile) for each in continued for tile in each.tiles
        )
        kept: list[tuple[TreeHead, str]] = []
        try:
            for each in continued:
                note = await self._unless_stuck(each.head, self._next(each, tiles))
                if note is not None:
                    kept.append((each.head, note))
                    self._alarmed.discard(each.head.tree)
                    self._without_file.discard(each.head.tree)
                    self._folder.back()
        except OSError:
            await self._store.add_checkpoints(kept, now=self._clock.now())
            raise
        await self._store.add_checkpoints(kept, now=self._clock.now())

    async def _continued(self, head: TreeHead) -> Continued:
        stored = await self._store.checkpoint(head.tree)
        kept = await self._files.last(head.tree)
        ended = kept if kept and await self._files.accepted(head.tree) else None
        earlier = [note for note in (kept, stored and stored.note) if note and note != ended]
        sizes = [self._signer.opened(head.tree, note).size for note in earlier]
        parts = [part for size in sizes for part in trees.consistency_parts(size, head.size)]
        return Continued(head, earlier, ended, frozenset(tiles_of(parts)))

    async def _next(self, after: Continued, tiles: Mapping[tuple[str, Tile], bytes]) -> str:
        own = {tile: nodes for (tree, tile), nodes in tiles.items() if tree == after.head.tree}
        note = self._signer.signed(after.head, after.earlier, hashes_in(own), ended=after.ended)
        # Kept elsewhere first: what is shown to anyone is in the file.
        await self._files.append(after.head.tree, note)
        return note

    async def _unless_stuck(self, head: TreeHead, found: Awaitable[T]) -> T | None:
        """What is found about a tree; nothing if it is inconsistent or its file cannot be used.

        Raises:
            OSError: the folder is away, and not the file of this tree alone.
        """
        try:
            return await found
        except InconsistentTree as alarm:
            if head.tree not in self._alarmed:
                _log.error("No checkpoint is signed: %s", alarm, extra={"tree": head.tree})
                await self._store.note_inconsistent(head.tree)
            self._alarmed.add(head.tree)
        except OSError as problem:
            await self._files.require_folder()
            if head.tree not in self._without_file:
                about = {"tree": head.tree, "error": str(problem)}
                _log.error("No checkpoint is signed: its file cannot be used.", extra=about)
            self._without_file.add(head.tree)
        self._passed_over.add(head.tree)
        return None
