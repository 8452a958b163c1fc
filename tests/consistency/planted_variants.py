"""Variants of the product's cores, each with one planted defect that leads to wrong allows."""

from dataclasses import replace

from shared.contracts.facts import format_revision
from shared.following.journal_view import JournalView, RowOutcome
from shared.leases import Leases, Receipt
from shared.leases.leases import Granted
from tests.consistency.simulation import SimulatedMembers, SimulatedStore, SimulationParts


class NoBarrier(Leases):
    """Acknowledges as soon as the change is committed."""

    async def follow(self, position, *, committed_at, after):
        return Receipt(revision=format_revision(position), effective_at=self._clock.now())


class HeadsFirst(Leases):
    """Reads the heads, then writes the lease."""

    async def grant(self, lease, *, asked, epoch, applied, held=0.0):
        row = self._row(lease, asked=asked, epoch=epoch, applied=applied, held=held)
        async with self._store.session() as session:
            now = await self._store.heads(session)
            await self._store.put(row, session)
        self._hear(row)
        return Granted(epoch=now.epoch, heads=now.seqs, digests=now.digests, ttl=self._ttl)


class UsedTooEarly(JournalView):
    """Uses a lease before the heads that it was granted at are applied."""

    def granted(self, ask, grant):
        taken = super().granted(ask, grant)
        self._until = max(self._until, ask.sent + grant.ttl * 0.98)
        return taken


class CountedFromReply(JournalView):
    """Counts a lease from the arrival of its answer."""

    def granted(self, ask, grant):
        assert isinstance(self.state, SimulatedMembers)
        return super().granted(replace(ask, sent=self.state.clock()), grant)


class OverGaps(JournalView):
    """Applies the row that comes next, even over a gap."""

    def on_change(self, change):
        if not self.loaded or change.seq <= self.applied.get(change.shard, 0):
            return super().on_change(change)
        self.state.put(change.policy_objects)
        self.applied[change.shard] = change.seq
        self.digests[change.shard] = change.digest
        self._activate()
        return RowOutcome.APPLIED


class FillRace(JournalView):
    """Lets a late snapshot replace what was applied after it was read."""

    def load(self, *, epoch, heads, digests, policy_objects):
        if not self.loaded:
            return super().load(
                epoch=epoch, heads=heads, digests=digests, policy_objects=policy_objects
            )
        self.state.clear()
        self.state.put(policy_objects)
        return False


class WithoutMajority(SimulatedStore):
    """Writes a row to one member of the replica set; the others see it later."""

    async def put(self, row, session):
        await self.step()

        def arrive():
            self.table[row.id] = row

        self.simulation.time.after(self.simulation.random.expovariate(5), arrive)


class ReadBefore(SimulatedStore):
    """Reads the rows as they were before the change was committed."""

    def __init__(self, simulation):
        super().__init__(simulation)
        self._seen = []

    async def rows(self, session):
        now = self.simulation.time.now
        self._seen.append((now, list(self.table.values())))
        while len(self._seen) > 1 and self._seen[1][0] < now - 0.5:
            self._seen.pop(0)
        await self.step()
        return self._seen[0][1]


PLANTED_VARIANTS = {
    "no barrier": SimulationParts(leases=NoBarrier),
    "eager grant": SimulationParts(view=UsedTooEarly),
    "lease counted from the reply": SimulationParts(view=CountedFromReply),
    "apply over a gap": SimulationParts(view=OverGaps),
    "fill race": SimulationParts(view=FillRace),
    "heads first": SimulationParts(leases=HeadsFirst),
    "a hidden row: written without majority": SimulationParts(store=WithoutMajority),
    "a hidden row: read before the commit": SimulationParts(store=ReadBefore),
}
