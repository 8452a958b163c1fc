"""What a service says to its sources: which of their rows it does not need any more."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

from shared import context, metrics
from shared.contracts.calls.journal import CONFIRM, ConfirmedRows
from shared.http.client import InternalClient
from shared.mongo import Database, DatabaseWatch, majority
from shared.problems import Refusal

Narrow = Callable[[str, ConfirmedRows], Awaitable[ConfirmedRows]]
"""Takes back what a service still needs of the rows of a source that it has applied."""

_log = logging.getLogger(__name__)


class Confirmations:
    """Tells every source how far all of it is applied, as the database says.

    A process does not say what it remembers: the database may have been restored meanwhile.
    """

    def __init__(
        self,
        database: Database,
        internal: InternalClient,
        sources: Sequence[str],
        *,
        narrow: Narrow | None = None,
    ) -> None:
        self._saved = majority(database, "inbox_marks")
        self._internal = internal
        self._sources = sources
        self._narrow = narrow

    async def run(self, *, pause: float) -> None:
        """Tell it again and again. Never ends."""
        watch = DatabaseWatch("Sources keep their rows for this service.", pause=pause)
        while True:
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            for source in self._sources:
                with watch.round():
                    try:
                        await self.confirm(source)
                    except Refusal as problem:
                        # The source keeps its rows, and says so if it lasts.
                        _log.debug("No confirmation to %s: %r", source, problem)

    async def confirm(self, source: str) -> None:
        """Tell it one source now."""
        saved = await self._saved.find_one({"_id": source})
        rows = ConfirmedRows(epoch=None)
        if saved is not None:
            rows = ConfirmedRows(
                epoch=saved["epoch"],
                places={int(shard): seq for shard, seq in saved["low"].items()},
                missed=sum(one["rows"] for one in saved.get("missed", ())),
            )
        metrics.MISSED_ROWS.labels(context.service.get(), source).set(rows.missed)
        if self._narrow is not None:
            rows = await self._narrow(source, rows)
        await self._internal.call(CONFIRM, source, rows)
