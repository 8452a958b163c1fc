"""A program that folds what is added to the sums of usage, and kills itself at a given point."""

import asyncio
import os
import signal
import sys
from enum import StrEnum
from typing import Any

from services.audit.store import Store
from services.audit.use_cases.usage_ledger import UsageLedger
from shared.mongo import connect
from tests.patience import PATIENT


class FoldPoint(StrEnum):
    """Where the folder dies."""

    INSIDE = "sums grown, before the commit"
    BETWEEN = "after the first transaction"
    FOLDED = "all folded"


def die() -> None:
    """End this process with SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)


class CrashingStore(Store):
    """The store of audit, until the given point."""

    point = FoldPoint.FOLDED
    folds = 0

    async def fold_usage(self, **more: Any) -> bool:
        """Fold, and die after it or before the next one."""
        if self.folds and self.point is FoldPoint.BETWEEN:
            die()
        self.folds += 1
        folded = await super().fold_usage(**more)
        if self.point is FoldPoint.INSIDE:
            die()
        return folded


async def main(mongo_url: str, database: str, point: str) -> None:
    """Fold, and die."""
    client = connect(mongo_url, app_name="crashing-folder", timeouts=PATIENT)
    store = CrashingStore(client[database])
    store.point = FoldPoint(point)
    await UsageLedger(client, store, documents_at_once=1).fold()
    die()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
