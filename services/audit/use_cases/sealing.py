"""Seal records: append them to the trees of their accounts, and sign checkpoints.

One replica is elected. If two seal at once, their transactions exclude each other.
"""

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner, TreeHead
from services.audit.domain.leaves import sealed
from services.audit.domain.records import Record
from services.audit.domain.seal_gaps import LAST, Gap, gaps
from services.audit.domain.sealed_records import Seal, tree_of
from services.audit.domain.tiles import Tile, grow, growing_tiles
from services.audit.store import Store
from services.audit.use_cases.own_words import OwnWords
from services.audit.use_cases.signing import SIGNED_AT_ONCE, TreeSigner
from shared import metrics
from shared.clock import Clock
from shared.contracts.facts import SHARDS, Position
from shared.contracts.topology import Service
from shared.elections import Election
from shared.mongo import AlreadyThere, DatabaseWatch, DbClient, DbSession, transact
from shared.problems import Unavailable

SEAL_SECONDS = 1.0
"""The pause between two rounds: an account has at most one checkpoint in it."""
PAGE_RECORDS = 200
"""The records of one transaction."""
PLACES = 16
"""The shards of one transaction."""
LOOKED_AT_AGAIN = 60
"""The rounds after which trees with an alarm, and epochs, are looked at again."""
GAPS = 16
"""The gaps that one round looks at, in their turn."""
LATE_RECORDS = 100
"""The records of one gap that are sealed in one transaction."""

FORGED = "A record is not sealed: it says that records have ended, and audit did not sign that."

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
        words: OwnWords,
        page_records: int = PAGE_RECORDS,
        signed_at_once: int = SIGNED_AT_ONCE,
        looked_at_again: int = LOOKED_AT_AGAIN,
    ) -> None:
        self._client = client
        self._store = store
        self._signing = TreeSigner(
            store,
            signer,
            files,
            clock,
            signed_at_once=signed_at_once,
            looked_at_again=looked_at_again,
        )
        self._words = words
        self._page = self._page_records = page_records
        self._looked_at_again = looked_at_again
        self._seen: dict[tuple[str, str], dict[int, int]] = {}
        """How far the epochs of the sources are sealed, as this process knows."""
        self._refused: set[str] = set()
        """Records that are not sealed: audit has not said what they say."""
        self._looked_at = ""
        """The gap that was looked at last."""
        self._rounds = 0

    async def round(self) -> None:
        """Seal what is recorded without a gap, and sign the trees that have grown."""
        await self.seal()
        self._rounds += 1
        await self._signing.sign()

    async def seal(self) -> None:
        """Append every record that is recorded without a gap to its tree, and those in old gaps."""
        whole = False
        try:
            ends = await self._ends()
            for start in range(0, len(ends), PLACES):
                await self._seal(ends[start : start + PLACES])
            await self._seal_late()
            whole = True
        except AlreadyThere:
            _log.info("Another sealer was first; its progress is read in the next round.")
        finally:
            if not whole:
                self._seen.clear()

    async def _ends(self) -> list[Position]:
        """The shards with records that are not sealed, and up to where they are complete.

        An epoch that is over is sealed to its end. A replica that does not know that it is over may
        still record a row of it, even its first one.
        """
        ends: list[Position] = []
        for source, (current, applied) in (await self._store.applied()).items():
            former: list[str] = []
            if (source, current) not in self._seen or self._rounds % self._looked_at_again == 0:
                former = [each for each in await self._store.epochs(source) if each != current]
            for epoch in (*former, current):
                if (source, epoch) not in self._seen:
                    self._seen[source, epoch] = await self._store.sealed_until(source, epoch)
                whole = dict.fromkeys(range(SHARDS), LAST)
                ends += self._behind(source, epoch, applied if epoch == current else whole)
        return ends

    def _behind(self, source: str, epoch: str, until: Mapping[int, int]) -> list[Position]:
        seen = self._seen[source, epoch]
        return [
            Position(source, epoch, shard, end)
            for shard, end in until.items()
            if seen.get(shard, 0) < end
        ]

    async def _seal(self, ends: Sequence[Position]) -> None:
        """Seal the records of some shards, a page in each transaction.

        Raises:
            Unavailable: the database was away or busy. The next page is half as long.
        """
        while ends:
            try:
                reached = await transact(self._client, partial(self._append, ends))
            except Unavailable:
                # A busy database may have no time for a transaction of many records.
                self._page = max(1, self._page // 2)
                raise
            self._page = min(self._page * 2, self._page_records)
            for end, seq in reached.items():
                self._seen[end.source, end.epoch][end.shard] = seq
            ends = [end for end in ends if reached.get(end, 0) < end.seq]

    async def _append(self, ends: Sequence[Position], session: DbSession) -> dict[Position, int]:
        """Seal a page of the records up to these ends; how far each shard is sealed now."""
        sealed = await self._store.sealed(ends, session)
        reached: dict[Position, int] = {}
        moves: list[tuple[Position, int | None]] = []
        records: list[Record] = []
        passed: list[Gap] = []
        for end, expected in sealed.items():
            after, room = expected or 0, self._page - len(records)
            if after >= end.seq:
                reached[end] = after
                continue
            if not room:
                break
            start = end._replace(seq=after)
            found = await self._store.recorded_between(start, end.seq, limit=room, session=session)
            reached[end] = found[-1].position.seq if len(found) == room else end.seq
            found = await self._believed(found)
            moves.append((end._replace(seq=reached[end]), expected))
            passed += gaps(start, reached[end], (each.position.seq for each in found))
            records += found
        await self._store.advance(moves, session)
        await self._store.add_gaps(passed, session)
        await self._grow(records, session)
        return reached

    async def _seal_late(self) -> None:
        """Seal records that have come into gaps which were passed before."""
        found = await self._store.gaps(self._looked_at, limit=GAPS)
        self._looked_at = max(found) if len(found) == GAPS else ""
        for gap in found.values():
            if await self._store.first_recorded(gap) is not None:
                await transact(self._client, partial(self._fill, gap))

    async def _fill(self, gap: Gap, session: DbSession) -> None:
        """Seal the records in a gap, a page at most; the rest of it stays a gap."""
        records = await self._store.recorded_between(
            gap.before, gap.last, limit=LATE_RECORDS, session=session
        )
        records = await self._believed(records)
        rest = gaps(gap.before, gap.last, (each.position.seq for each in records))
        await self._store.divide_gap(gap, list(rest), session)
        sealed = await self._store.sealed_among([each.id for each in records], session)
        await self._grow([each for each in records if each.id not in sealed], session)

    async def _believed(self, records: Sequence[Record]) -> list[Record]:
        """Leave out the records that a verifier would believe, and that audit did not sign.

        Their places become gaps, and they count as records without a seal.
        """
        believed: list[Record] = []
        for record in records:
            if await self._words.may_be_sealed(record):
                believed.append(record)
            elif record.id not in self._refused:
                self._refused.add(record.id)
                _log.error(FORGED, extra={"event_id": record.id, "tree": tree_of(record)})
        return believed

    async def _grow(self, records: Sequence[Record], session: DbSession) -> None:
        """Append records, in their order, each to the tree of its account."""
        if not records:
            return
        of_tree: defaultdict[str, list[Record]] = defaultdict(list)
        for record in records:
            of_tree[tree_of(record)].append(record)
        before = await self._store.heads(of_tree.keys(), session)
        names = [(tree, tile) for tree in of_tree for tile in growing_tiles(before[tree].size)]
        stored = await self._store.tiles(names, session)
        grown: list[tuple[TreeHead, TreeHead]] = []
        changed: dict[tuple[str, Tile], bytes] = {}
        seals: list[Seal] = []
        for tree, new in of_tree.items():
            head = before[tree]
            own = {tile: stored[tree, tile] for name, tile in names if name == tree}
            leaves: list[bytes] = []
            for index, record in enumerate(new, start=head.size):
                seal, leaf = sealed(record, tree, index, os.urandom)
                seals.append(seal)
                leaves.append(leaf)
            growing = head.growing()
            for tile in grow(growing, own, leaves):
                changed[tree, tile] = own[tile]
            grown.append((head, TreeHead(tree, growing.size, tuple(growing.peaks))))
        await self._store.grow(grown, changed, seals, session)


async def run_sealer(sealer: RecordSealer, office: Election) -> None:
    """Seal and sign once a second, while this process is elected. Never ends."""
    database = DatabaseWatch("Records wait for their seals.", transactions=True)
    metrics.start_at_zero(metrics.INCONSISTENT_TREES, [Service.AUDIT])
    metrics.start_at_zero(metrics.CHECKPOINT_FILES_UNUSABLE, [Service.AUDIT])
    while True:
        with database.round():
            if await office.won():
                await sealer.round()
        await asyncio.sleep(SEAL_SECONDS)
