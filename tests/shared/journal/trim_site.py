"""A journal that is trimmed, whose consumers say what a test lets them say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.auth.keys import public_text
from shared.auth.row_signatures import RowKeys, RowSigner
from shared.contracts.calls.journal import ConfirmedRows
from shared.contracts.facts import shard_of
from shared.contracts.topology import consumers_of
from shared.elections import Election
from shared.indexes import build_indexes
from shared.journal import HISTORY, INDEXES, History, Journal, JournalWrite, Restores, begin_epoch
from shared.journal.trim_rows import TrimRows
from shared.journal.trim_words import TrimWords
from shared.journal.trimmer import Trimmer
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.shared.journal.conftest import CALLER, project_created

if TYPE_CHECKING:
    from shared.journal.relay import Relay
    from shared.mongo import Database, DbClient

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, SECOND = 86_400.0, timedelta(seconds=1)
RETENTION = timedelta(days=7)
ACCOUNT = next(name for name in map("acc_{}".format, range(400)) if shard_of(name) == 7)
SHARD = 7
SOURCE = "team"
PAST = timedelta(days=15)
"""For how long the past is known where rows of it are forgotten."""
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
"""The same in each of the processes, of which one continues what another one has begun."""
SIGNER, KEYS = RowSigner(KEY), RowKeys({SOURCE: (public_text(KEY.public_key()),)})
WORDS = TrimWords(SOURCE, SIGNER, KEYS)
CONSUMERS = tuple(map(str, consumers_of(SOURCE)))


class TrimSite:
    """A journal of team, its clock, and the trimmers of two replicas.

    `past` is for how long the past is known; `None` is without a limit.
    """

    def __init__(
        self, client: DbClient, database: Database, relay: Relay, *, past: timedelta | None = None
    ) -> None:
        self.client = client
        self.database = database
        self.relay = relay
        self.clock = SetClock(NOON)
        self.rows = TrimRows(client, database, WORDS)
        self.history = History(database, kept=past, page_rows=4)
        self.begin()

    def begin(self) -> None:
        """Start the service anew."""
        self.journal = Journal(
            self.client,
            self.database,
            source=SOURCE,
            signer=SIGNER,
            relay=self.relay,
            clock=self.clock,
            timeouts=PATIENT,
        )
        self.restores = Restores(self.database, self.journal)

    async def open(self) -> None:
        await build_indexes(self.database, *INDEXES, *HISTORY)
        await self.journal.start()
        await self.restores.start()

    async def restore(self) -> None:
        """Begin a new epoch, as after a restore."""
        await begin_epoch(self.database, at=self.clock.now())
        self.begin()
        await self.open()

    def trimmer(self, rows: TrimRows | None = None, *, holder: str = "one") -> Trimmer:
        return Trimmer(
            SOURCE,
            rows or self.rows,
            self.restores,
            Election(self.database, "trimmer", holder=holder, clock=self.clock),
            self.clock,
            retention=RETENTION,
            archive=self.history,
            batch_size=4,
        )

    async def write(self, *numbers: int, account_id: str = ACCOUNT, sent: bool = True) -> None:
        async def change(write: JournalWrite) -> None:
            write.record(*(project_created(number, account_id=account_id) for number in numbers))

        await self.journal.write(account_id, change, caller=CALLER, effective_everywhere=False)
        if sent:
            await self.database["journal"].update_many({}, {"$set": {"sent": True}})

    async def confirm(self, place: int, *consumers: str, epoch: str | None = None) -> None:
        """Let consumers, or all of them, say that they have applied the shard up to a place."""
        rows = ConfirmedRows(epoch=epoch or self.journal.epoch, places={SHARD: place})
        for consumer in consumers or CONSUMERS:
            await self.trimmer().confirm(consumer, rows)

    async def kept(self, shard: int = SHARD) -> list[int]:
        """The rows that the journal has."""
        return [each.row.seq for each in await self.journal.changes(shard, after=0, limit=400)]

    async def told(self, shard: int = SHARD) -> int:
        """The place up to which the heads tell that the shard is trimmed."""
        return (await self.journal.heads()).trimmed.get(shard, 0)
