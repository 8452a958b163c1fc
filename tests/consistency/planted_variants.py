"""Variants of the product's cores, each with one planted defect that leads to wrong allows."""

import json
from dataclasses import replace

from msgspec import structs

from rolecall.client.jwk import decode
from shared.contracts.facts import format_revision
from shared.following.journal_view import JournalView, RowOutcome
from shared.journal import Snapshot
from shared.journal.repeats import Repeats
from shared.leases import Leases, Receipt
from shared.leases.granted import Granted
from tests.consistency.database import SimulatedStore
from tests.consistency.simulation import SimulatedMembers, SimulationParts


class NoBarrier(Leases):
    """Acknowledges as soon as the change is committed."""

    async def follow(self, position, concerned=None, *, digest, committed_at, after):
        return Receipt(revision=format_revision(position), effective_at=self._clock.now())


class HeadsFirst(Leases):
    """Reads the heads, then writes the lease."""

    async def grant(self, lease, report, *, asked, held=0.0):
        row = self._row(lease, report, asked=asked, held=held)
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
        self._lineage.advance(change.shard, change.seq, change.digest)
        self._activate()
        return RowOutcome.APPLIED

    def _refuse_fork(self, compared):
        """A head between two of its rows is not one of its changes."""


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
            self.replica_set.change(leases={**self.rows_now, row.id: row})

        self.replica_set.time.after(self.replica_set.random.expovariate(5), arrive)


class ReadBefore(SimulatedStore):
    """Reads the rows as they were before the change was committed."""

    async def rows(self, session):
        await self.step()
        version = self.replica_set.seen(0.5)
        return list(self.replica_set.versions[version].leases.values())


class SettlesOutsideSession(Repeats):
    """Reads the head for a repeat with majority, but not after what the repeat has seen."""

    async def head(self, seen):
        return await super().head(replace(seen, session=None))


class GrantsOutsideSession(Leases):
    """Reads the heads of a grant with majority, but not after the row's write."""

    async def grant(self, lease, report, *, asked, held=0.0):
        row = self._row(lease, report, asked=asked, held=held)
        async with self._store.session() as session:
            await self._store.put(row, session)
        async with self._store.session() as session:
            now = await self._store.heads(session)
        self._hear(row)
        return Granted(epoch=now.epoch, heads=now.seqs, digests=now.digests, ttl=self._ttl)


class UntiedPages(Snapshot):
    """Reads a later page without comparing its heads with those of the first one."""

    async def page(self, cursor, *, shards=None):
        page = await super().page(None)
        if cursor is None:
            return page
        async with self._store.session() as session:
            items, _ = await self._read("second", session)
        epoch, heads, _ = json.loads(decode(cursor))
        heads = {int(shard): seq for shard, seq in heads.items()}
        return structs.replace(page, epoch=epoch, heads=heads, items=items, next_cursor=None)


PLANTED_VARIANTS = {
    "no barrier": SimulationParts(leases=NoBarrier),
    "eager grant": SimulationParts(view=UsedTooEarly),
    "lease counted from the reply": SimulationParts(view=CountedFromReply),
    "apply over a gap": SimulationParts(view=OverGaps),
    "fill race": SimulationParts(view=FillRace),
    "heads first": SimulationParts(leases=HeadsFirst),
    "a hidden row: written without majority": SimulationParts(store=WithoutMajority),
    "a hidden row: read before the commit": SimulationParts(store=ReadBefore),
    "a grant's heads read outside its session": SimulationParts(leases=GrantsOutsideSession),
    "a repeat settled outside its session": SimulationParts(repeats=SettlesOutsideSession),
    "snapshot pages not tied to the heads": SimulationParts(snapshot=UntiedPages),
}
