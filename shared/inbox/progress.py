"""How far a service has applied the journals of its sources, and which epoch of each it follows."""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from shared.contracts.calls.journal import FormerEpoch, Heads
from shared.contracts.facts import Position
from shared.mongo import Database, majority

MOST_ROUNDS = 6
"""The rounds after which rows of a restored history that cannot be had are given up."""
SET_BACK = "A source has fewer rows than are applied: it was restored without `after-restore`."
LAPSES = 2
"""The comparisons in a row that must show a head below what is applied, before it is an alarm."""

_log = logging.getLogger(__name__)


class MissedRows(NamedTuple):
    """Rows of a shard that its source had deleted before they were applied here."""

    epoch: str
    shard: int
    first: int
    last: int
    rows: int
    """Some between the first and the last were applied."""


class Progress:
    """The collection `inbox_marks`: for each source its epoch, and the last row of each shard."""

    def __init__(self, database: Database) -> None:
        self._saved = majority(database, "inbox_marks")
        self._epochs: dict[str, str] = {}
        self._former: dict[str, Sequence[FormerEpoch]] = {}
        self._rounds: Counter[str] = Counter()
        self._lapses: Counter[str] = Counter()
        self.contiguous: defaultdict[tuple[str, int], int] = defaultdict(int)
        """The last sequence of (source, shard) up to which everything is applied."""

    async def load(self) -> None:
        """Read the progress that this service's replicas have saved."""
        async for saved in self._saved.find({}):
            self._epochs[saved["_id"]] = saved["epoch"]
            for shard, seq in saved["low"].items():
                self.contiguous[saved["_id"], int(shard)] = seq

    async def reload(self, source: str) -> None:
        """Take the progress that other replicas have saved meanwhile, if it is further."""
        saved = await self._saved.find_one({"_id": source})
        if saved is not None and saved["epoch"] == self._epochs.get(source):
            for shard, seq in saved["low"].items():
                place = source, int(shard)
                self.contiguous[place] = max(self.contiguous[place], seq)

    async def save_missed(self, source: str, missed: Sequence[MissedRows]) -> None:
        """Save which rows were deleted before this service could apply them; safe to repeat."""
        added = {"$addToSet": {"missed": {"$each": [one._asdict() for one in missed]}}}
        epoch = {"$setOnInsert": {"epoch": self._epochs[source], "low": {}}}
        await self._saved.update_one({"_id": source}, {**added, **epoch}, upsert=True)

    async def save(self, source: str, shards: Collection[int]) -> None:
        """Save how far some shards of a source are applied."""
        low = {str(shard): self.contiguous[source, shard] for shard in shards}
        changed = {"$set": {"epoch": self._epochs[source], "low": low}}
        await self._saved.update_one({"_id": source}, changed, upsert=True)

    def applied(self) -> dict[str, tuple[str, dict[int, int]]]:
        """The epoch of each source, and the last row of each shard up to which all is applied."""
        found = {source: (epoch, dict[int, int]()) for source, epoch in self._epochs.items()}
        for (source, shard), seq in self.contiguous.items():
            if seq and source in found:
                found[source][1][shard] = seq
        return found

    def epoch(self, source: str) -> str | None:
        """The epoch of the source that this service follows, if it has begun."""
        return self._epochs.get(source)

    def covers(self, position: Position) -> bool:
        """Return whether the row at this position is known to be applied, without its mark."""
        applied = self.contiguous[position.source, position.shard]
        return position.epoch == self._epochs.get(position.source) and position.seq <= applied

    def kept(self, position: Position) -> bool:
        """Return whether the row is of a former epoch, and the restored source has it."""
        former = self._former.get(position.source, ())
        heads = next((each.heads for each in former if each.epoch == position.epoch), {})
        return position.seq <= heads.get(position.shard, 0)

    def begin(self, source: str, epoch: str) -> None:
        """Follow an epoch of a source from its first row, unless it is followed already."""
        if self._epochs.get(source) == epoch:
            return
        if source in self._epochs:
            _log.warning("%s has another epoch: its journal begins anew", source)
        for key in [key for key in self.contiguous if key[0] == source]:
            del self.contiguous[key]
        self._epochs[source] = epoch

    def below(self, source: str, trimmed: Mapping[int, int]) -> list[int]:
        """The shards of which rows that are not applied are deleted at the source."""
        return [shard for shard, seq in trimmed.items() if self.contiguous[source, shard] < seq]

    def unfinished(self, source: str) -> Sequence[FormerEpoch]:
        """The epochs that restores of the source have ended, from the followed one on.

        A service that follows another epoch, which no backup has kept, has what was before it.
        """
        former = self._former.get(source, ())
        followed = self._epochs.get(source)
        if followed is None:
            return former
        at = next((at for at, each in enumerate(former) if each.epoch == followed), len(former))
        return former[at:]

    def gives_up(self, source: str, epoch: str) -> bool:
        """Count a round in which a former epoch was not finished; an alarm after the last."""
        self._rounds[epoch] += 1
        if self._rounds[epoch] < MOST_ROUNDS:
            return False
        told = {"source": source, "epoch": epoch}
        _log.error("Rows of a restored journal cannot be had. They are not applied.", extra=told)
        return True

    def tell_lost(self, source: str, former: FormerEpoch) -> None:
        """Log how many applied rows of an epoch the restored source does not have any more."""
        applied = {shard: seq for (name, shard), seq in self.contiguous.items() if name == source}
        lost = sum(max(0, seq - former.heads.get(shard, 0)) for shard, seq in applied.items())
        if lost:
            told = {"source": source, "epoch": former.epoch, "rows": lost}
            _log.warning("A source was restored. It lost rows that were applied here.", extra=told)

    def told(self, source: str, answer: Heads) -> None:
        """Take the heads of a source. An alarm if it was set back without a new epoch."""
        self._former[source] = answer.former
        behind = answer.epoch == self._epochs.get(source) and any(
            answer.heads.get(shard, 0) < seq
            for (name, shard), seq in self.contiguous.items()
            if name == source
        )
        self._lapses[source] = self._lapses[source] + 1 if behind else 0
        if self._lapses[source] == LAPSES:
            _log.error(SET_BACK, extra={"source": source})
