"""The simulated database of the source: one log, a primary, and a majority that follows it.

Each change makes a new version. A commit is answered when a majority has its version. A read with
majority sees the version of its process, which may be an old one for a while: the members of a
majority change, and a process may still ask an old primary. A read in a session waits until its
process sees the session's version.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from shared.contracts.facts import JournalHeads, Position
from shared.leases.barrier import LeaseId, LeaseRow
from shared.leases.store import succeeding
from tests.consistency.virtual_time import Timeline
from tests.support.chains import digest_at, digests_at

EPOCH = "e1"
LAG_SHARE = 0.003
"""This part of the changes keeps a majority back, for half a second on average."""
LATEST_STEP_SECONDS = 0.02
"""The pause between two looks of a session that waits for its version."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """The data after one change."""

    heads: Mapping[int, int]
    members: Mapping[str, tuple[int, bool]]
    """Member → revision, and whether it is one."""
    leases: Mapping[LeaseId, LeaseRow]


@dataclass(slots=True)
class SimulatedSession:
    """A causally consistent session: it has written or seen this version."""

    version: int = 0


@dataclass(slots=True)
class SimulatedReplicaSet:
    """The versions, and when a majority has each."""

    time: Timeline
    random: Random
    lags: bool
    versions: list[Version]
    _majority_at: list[float] = field(default_factory=lambda: [0.0])

    @property
    def primary(self) -> Version:
        """What the primary has."""
        return self.versions[-1]

    @property
    def last(self) -> int:
        """The number of the primary's version."""
        return len(self.versions) - 1

    def change(self, **parts: Any) -> int:
        """Make a version at the primary; its number."""
        self.versions.append(replace(self.primary, **parts))
        self._majority_at.append(max(self._majority_at[-1], self.time.now + self._lag()))
        return self.last

    def seen(self, behind: float) -> int:
        """The version of a majority, as it was `behind` seconds ago."""
        return max(0, bisect_right(self._majority_at, self.time.now - behind) - 1)

    async def committed(self, version: int) -> None:
        """Wait until a majority has a version."""
        await self.time.sleep(max(0.0, self._majority_at[version] - self.time.now))

    def _lag(self) -> float:
        r = self.random
        if not self.lags or r.random() > LAG_SHARE:
            return r.expovariate(1000)
        return r.expovariate(2)


class SimulatedStore:
    """The database as one process of the source sees it; each step happens at its own time."""

    def __init__(self, replica_set: SimulatedReplicaSet) -> None:
        self.replica_set = replica_set
        self.behind = 0.0
        """For how many seconds this process's reads with majority are behind the majority."""

    async def step(self) -> None:
        r = self.replica_set.random
        await self.replica_set.time.sleep(
            r.expovariate(1000) if r.random() > 0.1 else r.expovariate(10)
        )

    @asynccontextmanager
    async def session(self, after: SimulatedSession | None = None):
        yield SimulatedSession(0 if after is None else after.version)

    async def read(self, session: SimulatedSession) -> Version:
        """What a majority read of a session sees."""
        await self.step()
        while (version := self.replica_set.seen(self.behind)) < session.version:
            await self.replica_set.time.sleep(LATEST_STEP_SECONDS)
        session.version = version
        found = self.replica_set.versions[version]
        await self.step()
        return found

    async def write(self, session: SimulatedSession, leases: Mapping[LeaseId, LeaseRow]) -> None:
        """Change the lease rows at the primary, and wait for a majority."""
        session.version = self.replica_set.change(leases=leases)
        await self.replica_set.committed(session.version)
        await self.step()

    @property
    def rows_now(self) -> dict[LeaseId, LeaseRow]:
        """The lease rows at the primary."""
        return dict(self.replica_set.primary.leases)

    async def put(self, row: LeaseRow, session: SimulatedSession) -> None:
        await self.step()
        rows = self.rows_now
        await self.write(session, {**rows, row.id: succeeding(row, rows.get(row.id))})

    async def heads(self, session: SimulatedSession) -> JournalHeads:
        heads = dict((await self.read(session)).heads)
        return JournalHeads(EPOCH, heads, digests_at(heads))

    async def change_at(self, position: Position, session: SimulatedSession) -> None:
        return None

    async def digests_at(
        self, shard: int, seqs: Collection[int], session: SimulatedSession
    ) -> dict[int, str]:
        head = (await self.read(session)).heads[shard]
        return {seq: digest_at(shard, seq) for seq in seqs if seq <= head}

    async def live_rows(self, session: SimulatedSession) -> list[LeaseRow]:
        return [row for row in await self.rows(session) if not row.released]

    async def rows(self, session: SimulatedSession) -> list[LeaseRow]:
        return list((await self.read(session)).leases.values())

    async def report(self, row: LeaseRow) -> None:
        await self.step()
        there = self.rows_now.get(row.id)
        if there is not None and not there.released:
            reported = replace(there, epoch=row.epoch, applied=row.applied, digests=row.digests)
            await self.write(SimulatedSession(), {**self.rows_now, row.id: reported})

    async def remove(self, row: LeaseRow) -> None:
        await self.step()
        rows = self.rows_now
        there = rows.get(row.id)
        if there is not None and there.renewal == row.renewal:
            del rows[row.id]
            await self.write(SimulatedSession(), rows)

    async def release(self, row: LeaseRow) -> None:
        await self.step()
        await self.write(SimulatedSession(), {**self.rows_now, row.id: row})

    async def save(self, receipt: Any) -> None:
        await self.step()

    async def receipt(self, revision: str, now: Any) -> None:
        return None
