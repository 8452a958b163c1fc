"""A service with a planted defect, as a process: `python -m tests.faults.planted_services DEFECT`.

The removal test must turn red with each of them.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from services.authz.app import build as build_authz
from services.authz.domain.journal_view import JournalView
from services.authz.settings import Settings as AuthzSettings
from services.team.app import build as build_team
from services.team.settings import Settings as TeamSettings
from shared.clock import SystemClock
from shared.leases import Leases
from shared.leases.leases import Granted
from shared.runtime.service import main
from shared.timeouts import Timeouts
from tests.consistency.planted_variants import NoBarrier

FIRST_GRANT_SECONDS = 0.6
"""Long enough for a removal on a busy machine, shorter than authz waits for its call."""


class SlowHeadsFirst(Leases):
    """Reads the heads before it writes the lease; slowly for a new lease, as a loaded database."""

    async def grant(self, *, replica, boot, asked, epoch, applied, held=0.0):
        row = self._row(
            replica=replica, boot=boot, asked=asked, epoch=epoch, applied=applied, held=held
        )
        async with self._store.session() as session:
            epoch_now, heads = await self._store.heads(session)
            known = {other.replica for other in await self._store.rows(session)}
        if replica not in known:
            await asyncio.sleep(FIRST_GRANT_SECONDS)
        async with self._store.session() as session:
            await self._store.put(row, session)
        self._hear(row)
        return Granted(epoch=epoch_now, heads=heads, ttl=self._ttl)


class LeaseFromReply(JournalView):
    """Counts a lease from the arrival of its answer, however late that is."""

    def granted(self, ask, grant):
        return super().granted(replace(ask, sent=SystemClock().boottime()), grant)


def authz_that_counts_from_the_reply() -> None:
    """Run authz with the defect; its calls wait longer than a lease, or they would hide it."""
    timeouts = Timeouts(source_call=5.0)
    main(partial(build_authz, view=LeaseFromReply, timeouts=timeouts), AuthzSettings)


DEFECTS: dict[str, tuple[str, Callable[[], None]]] = {
    "no-barrier": ("team", lambda: main(partial(build_team, leases=NoBarrier), TeamSettings)),
    "heads-first": ("team", lambda: main(partial(build_team, leases=SlowHeadsFirst), TeamSettings)),
    "lease-from-the-reply": ("authz", authz_that_counts_from_the_reply),
}
"""Defect → the service that has it, and its process."""


if __name__ == "__main__":
    DEFECTS[sys.argv[1]][1]()
