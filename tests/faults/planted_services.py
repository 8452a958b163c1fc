"""A service with a planted defect, as a process.

`python -m tests.faults.planted_services DEFECT PLACE` runs it.

The tests of removals and of random faults must turn red with each that they name.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from services.authz.app import build as build_authz
from services.authz.settings import Settings as AuthzSettings
from services.identity.app import build as build_identity
from services.identity.settings import Settings as IdentitySettings
from services.team.app import build as build_team
from services.team.settings import Settings as TeamSettings
from shared.clock import SystemClock
from shared.following.journal_view import JournalView
from shared.leases import Leases, MongoLeaseStore
from shared.leases.granted import Granted
from shared.runtime.service import main
from shared.timeouts import Timeouts
from tests.consistency.planted_variants import NoBarrier, OverGaps

LONG_TTL = 4.0
MOST_WAIT_SECONDS = 3.0
BARRIER_SECONDS = 0.3
"""After a commit, the barrier of that change has read the leases."""


class LongLeases(Leases):
    """Grants long leases; a change that takes a second must not end what a defect left open."""

    def __init__(self, store, *, ttl, **others):
        super().__init__(store, ttl=max(ttl, LONG_TTL), **others)


class Unawaited(LongLeases, NoBarrier):
    """Acknowledges as soon as the change is committed, with long leases."""


class HeadsFirst(LongLeases):
    """Reads the heads before it writes the lease; a new lease waits for a change in between.

    So it does not depend on the speed of the machine whether a removal slips in.
    """

    async def grant(self, lease, report, *, asked, held=0.0):
        row = self._row(lease, report, asked=asked, held=held)
        async with self._store.session() as session:
            heads = await self._store.heads(session)
            known = {other.id for other in await self._store.rows(session)}
        if lease not in known:
            await self._wait_for_change(heads)
        async with self._store.session() as session:
            await self._store.put(row, session)
        self._hear(row)
        return Granted(epoch=heads.epoch, heads=heads.seqs, digests=heads.digests, ttl=self._ttl)

    async def _wait_for_change(self, heads):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MOST_WAIT_SECONDS):
                now = heads
                while now == heads:
                    await asyncio.sleep(0.02)
                    async with self._store.session() as session:
                        now = await self._store.heads(session)
                await asyncio.sleep(BARRIER_SECONDS)


class UnawaitedChanges(LongLeases):
    """Acknowledges changes of some types as soon as they are committed, and awaits the others."""

    types: ClassVar[frozenset[str]]

    async def follow(self, position, concerned=None, *, digest, committed_at, after):
        place = {"shard": position.shard, "seq": position.seq}
        assert isinstance(self._store, MongoLeaseStore)
        async with self._store.session(after) as session:
            row = await self._store._journal.find_one(place, session=session)
        assert row is not None
        of = NoBarrier if json.loads(row["event"])["type"] in self.types else Leases
        return await of.follow(
            self, position, concerned, digest=digest, committed_at=committed_at, after=after
        )


class MovesUnawaited(UnawaitedChanges):
    """Takes the move of a resource for a note that decides nothing."""

    types = frozenset({"team.resource.registered.v1", "team.resource.reassigned.v1"})


class DemotionsUnawaited(UnawaitedChanges):
    """Takes another role for a change that takes nothing away."""

    types = frozenset({"team.member.role_changed.v1"})


class LeaseFromReply(JournalView):
    """Counts a lease from the arrival of its answer, however late that is."""

    def granted(self, ask, grant):
        return super().granted(replace(ask, sent=SystemClock().boottime()), grant)


def authz(view: type[JournalView]) -> None:
    """Run authz with this view; its calls wait longer than a lease, or they would hide a defect."""
    timeouts = Timeouts(source_call=10.0)
    main(partial(build_authz, view=view, timeouts=timeouts), AuthzSettings)


def identity(leases: type[Leases]) -> None:
    """Run identity with these leases."""
    main(partial(build_identity, leases=leases), IdentitySettings)


def team(leases: type[Leases]) -> None:
    """Run team with these leases."""
    main(partial(build_team, leases=leases), TeamSettings)


DEFECTS: dict[str, dict[str, Callable[[], None]]] = {
    "no-barrier": {"team": partial(team, Unawaited)},
    "heads-first": {"team": partial(team, HeadsFirst), "authz": partial(authz, JournalView)},
    "lease-from-the-reply": {"authz": partial(authz, LeaseFromReply)},
    "over-gaps": {"authz": partial(authz, OverGaps)},
    "moves-unawaited": {"team": partial(team, MovesUnawaited)},
    "demotions-unawaited": {"team": partial(team, DemotionsUnawaited)},
    "one-team-without-barrier": {
        "team-0": partial(team, LongLeases),
        "team-1": partial(team, Unawaited),
    },
    "identity-without-barrier": {"identity": partial(identity, Unawaited)},
}
"""Defect → the services or single processes that differ, each with its process."""


if __name__ == "__main__":
    DEFECTS[sys.argv[1]][sys.argv[2]]()
