"""An older database that is restored, by the steps of the operations page."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from operator import methodcaller
from pathlib import Path

from aio_pika.abc import AbstractIncomingMessage

from deploy import after_restore
from deploy.mongo import DATABASES
from shared.contracts.facts import shard_of
from shared.contracts.topology import QUEUES, Service
from tests.faults.faulty_rounds import FaultyRounds
from tests.faults.member_revocations import OverrideExpired
from tests.faults.random_faults import require_forger
from tests.faults.replicated_product import ReplicatedProduct

RESTORED = "restored"
"""The name of this fault in the tables."""
GRACE = timedelta(days=30)
WATCH_SECONDS = 2.0


class Backup:
    """A copy of the database's files, made while the database was stopped."""

    def __init__(self, product: ReplicatedProduct) -> None:
        self._product = product
        self._copy: Path = product.folder / "backup"

    def make(self) -> None:
        """Stop the database for the copy."""
        shutil.rmtree(self._copy, ignore_errors=True)
        self._product.database.stop()
        shutil.copytree(self._product.database.data, self._copy)
        self._product.database.start()

    def restore(self, *, new_epoch: bool) -> None:
        """Stop everything, put the files back, begin new epochs, and start everything.

        Without `new_epoch` the step is left out that the page demands.
        """
        product = self._product
        with ThreadPoolExecutor() as threads:
            list(threads.map(methodcaller("stop"), product.services.values()))
            product.database.stop()
            shutil.rmtree(product.database.data)
            shutil.copytree(self._copy, product.database.data, dirs_exist_ok=True)
            product.database.start()
            for service in DATABASES:
                product.broker.control("purge_queue", QUEUES[Service(service)].name)
            if new_epoch:
                for database in DATABASES.values():
                    restore = after_restore.Restore(
                        url=product.database.url, database=database, grace=GRACE
                    )
                    assert asyncio.run(after_restore.run(restore)) == 0
            list(threads.map(methodcaller("start"), product.services.values()))


async def restored_round(rounds: FaultyRounds, *, new_epoch: bool) -> None:
    """Restore a database in which everything is taken away, after all of it was given again.

    The changes are made once more and find nothing to change: their answers say that they are in
    force. Then the rows of the lost history come, whose signatures are genuine. Expiries are left
    out, because they would write new rows, and what identity takes: sessions and tokens.
    """
    forger = require_forger(rounds.scene)
    backup = Backup(rounds.scene.product)
    rounds.counts.rounds += 1
    await rounds.give_all()
    await asyncio.gather(*(rounds.acknowledge(one) for one in rounds.revocations))
    await asyncio.to_thread(backup.make)
    before = len(forger.heard)
    await rounds.give_all()
    heard = forger.heard[before:]
    await asyncio.to_thread(backup.restore, new_epoch=new_epoch)
    await rounds.refresh_tokens(now=True)
    taken = [
        one
        for one in rounds.revocations
        if one.service == Service.TEAM and not isinstance(one, OverrideExpired)
    ]
    await asyncio.gather(*(rounds.acknowledge(one) for one in taken))
    shards = {shard_of(one.team.account_id) for one in taken}
    lost = [row for row in heard if _place(row) in {(Service.TEAM, shard) for shard in shards}]
    await forger.repeat(lost)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for process in rounds.replicas:
            tasks.create_task(rounds.watch(process, (RESTORED,), taken, over))
        await asyncio.sleep(WATCH_SECONDS)
        over.set()


def _place(message: AbstractIncomingMessage) -> tuple[str, int]:
    return str(message.headers["source"]), int(str(message.headers["shard"]))
