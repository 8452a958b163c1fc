"""A program that writes, publishes and consumes facts, and kills itself at a given point.

It has a journal with its relay, and an inbox that consumes the journal over RabbitMQ. It prints
what was acknowledged, one number a line.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import inbox, journal
from shared.auth.keys import public_text
from shared.auth.row_signatures import RowSigner
from shared.bus import BusMessage
from shared.bus.rabbitmq import RabbitBus
from shared.clock import SystemClock
from shared.contracts.calls.base import InternalCall
from shared.contracts.calls.journal import Changes, ChangesQuery, Heads
from shared.contracts.facts import (
    Actor,
    Caller,
    Fact,
    RequestInfo,
    ResourceRef,
    Row,
    format_revision,
)
from shared.contracts.team import ProjectCreated
from shared.contracts.topology import Queue, Topology
from shared.inbox import AWAY, AppliedMark, Inbox
from shared.indexes import build_indexes
from shared.journal import Journal, JournalWrite
from shared.journal.relay import Relay
from shared.journal.rows import read
from shared.leases import Leases, MongoLeaseStore
from shared.leases.barrier import LeaseRow, Report, lease_id
from shared.mongo import Database, DbClient, DbSession, Transactions, connect, transact
from shared.row_verifier import RowVerifier
from shared.runtime.start import open_step
from shared.runtime.supervisor import Supervisor
from tests.support.broker import declare

WRITES = 3
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
"""The same in each of the processes, of which one publishes what another one has signed."""
CRASHING_WRITE = 1
"""The write at which the program dies."""


class Point(StrEnum):
    """Where the program dies; with `NONE` it runs until it is stopped."""

    NONE = "none"
    BEFORE_WRITE = "before the transaction"
    INSIDE_WRITE = "inside the transaction"
    BEFORE_COMMIT = "before the commit"
    AFTER_COMMIT = "after the commit, before the answer"
    BEFORE_PUBLISH = "before publishing"
    UNCONFIRMED = "published, not confirmed"
    BEFORE_MARK = "confirmed, not marked as sent"
    RECEIVED = "received, before the effect"
    INSIDE_EFFECT = "inside the effect's transaction"
    BEFORE_ACK = "after the effect, before the acknowledgement"
    BARRIER = "committed, while its barrier waits for a silent replica"


LEASE_SECONDS = 1.0
"""How long a change waits for a replica that has a lease and reports nothing."""

NOT_WRITTEN = {Point.BEFORE_WRITE, Point.INSIDE_WRITE, Point.BEFORE_COMMIT}
"""The points before the commit: nothing may be stored. At every other point the write is."""


def die() -> None:
    """End this process with SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)


class CrashingBus(RabbitBus):
    """RabbitMQ, until the row of the crashing write is published."""

    point: Point
    crashing_number: str

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        """Publish, and die before, during or after it."""
        if not any(
            Row.from_event(each.body).resource.id == self.crashing_number for each in messages
        ):
            await super().publish(messages)
            return
        if self.point is Point.BEFORE_PUBLISH:
            die()
        publishing = asyncio.create_task(super().publish(messages))
        if self.point is Point.UNCONFIRMED:
            await asyncio.sleep(0.001)
            die()
        await publishing
        if self.point is Point.BEFORE_MARK:
            die()


class CrashingTransactions(Transactions):
    """The transactions of the journal: they die around the commit of the crashing write."""

    dies_at: Point | None = None

    async def commit(self, session: DbSession) -> None:
        """Commit, and die before or after."""
        if self.dies_at is Point.BEFORE_COMMIT:
            die()
        await super().commit(session)
        if self.dies_at is Point.AFTER_COMMIT:
            die()


class CrashingLeaseStore(MongoLeaseStore):
    """The leases of the journal: a look at them is deadly while a barrier waits."""

    looks_left: int | None = None

    async def live_rows(self, session: DbSession) -> list[LeaseRow]:
        """Read the rows; the first look of a barrier is answered, the second one is not."""
        if self.looks_left == 0:
            die()
        if self.looks_left is not None:
            self.looks_left -= 1
        return await super().live_rows(session)


class JournalCalls:
    """The answers of the journal's internal routes, without HTTP."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def call(
        self, call: InternalCall[Any, Any], callee: str, query: ChangesQuery | None = None, /
    ) -> Heads | Changes:
        """Answer with heads or changes."""
        epoch = self._journal.epoch
        if query is None:
            now = await self._journal.heads()
            return Heads(source=callee, epoch=epoch, heads=now.seqs, digests=now.digests)
        page = await self._journal.changes(query.shard, after=query.after, limit=query.limit)
        items = [signed.event.decode() for signed in page]
        signatures = [signed.signature for signed in page]
        return Changes(source=callee, epoch=epoch, items=items, signatures=signatures)


class Program:
    """Journal, relay and inbox of one process."""

    def __init__(
        self, client: DbClient, name: str, *, point: Point, run: int, amqp_url: str
    ) -> None:
        self.point = point
        self.crashing_number = f"{run}-{CRASHING_WRITE}" if point is not Point.NONE else ""
        queue = Queue(name=f"{name}.inbox", sources=("team",))
        self.topology = Topology(exchange=name, queues=(queue,))
        self._run = run
        self._client = client
        self._source: Database = client[f"{name}_source"]
        self._consumer: Database = client[f"{name}_consumer"]
        self.bus = CrashingBus(amqp_url, name, topology=self.topology)
        self.bus.point, self.bus.crashing_number = point, self.crashing_number
        clock = SystemClock()
        self._transactions = CrashingTransactions(client)
        self._lease_store = CrashingLeaseStore(client, self._source)
        self._leases = Leases(self._lease_store, clock=clock, ttl=LEASE_SECONDS)
        self.relay = Relay(self._source, self.bus, holder=f"run-{run}", clock=clock)
        self.journal = Journal(
            client,
            self._source,
            source="team",
            signer=RowSigner(KEY),
            relay=self.relay,
            clock=clock,
            leases=self._leases,
            transactions=self._transactions,
        )
        self.inbox = Inbox(
            client,
            self._consumer,
            bus=self.bus,
            queue=queue,
            sources=("team",),
            internal=JournalCalls(self.journal),  # type: ignore[arg-type]
            verifier=RowVerifier({"team": (public_text(KEY.public_key()),)}, clock=clock),
            subscriptions={ProjectCreated.type: self.consume},
            ctx=None,
            clock=clock,
        )

    async def consume(self, ctx: None, row: Row, applied_mark: AppliedMark) -> None:
        """Store one document for each time that the effect happens."""
        dies_at = self.point if row.resource.id == self.crashing_number else None
        if dies_at is Point.RECEIVED:
            die()

        async def change(session: DbSession) -> None:
            await applied_mark(session)
            await self._consumer["effects"].insert_one({"number": row.resource.id}, session=session)
            if dies_at is Point.INSIDE_EFFECT:
                die()

        await transact(self._client, change)
        if dies_at is Point.BEFORE_ACK:
            die()

    async def write(self, number: str) -> None:
        """Save one project with its fact; repeated while the database is away."""
        account = f"acc_{number}"
        dies_at = self.point if number == self.crashing_number else None
        if everywhere := dies_at is Point.BARRIER:
            await self._lease_to_a_silent_replica()

        async def change(write: JournalWrite) -> None:
            await self._source["projects"].insert_one(
                {"_id": number, "everywhere": everywhere}, session=write.session
            )
            write.record(
                Fact(
                    payload=ProjectCreated(project_id=number, name=number),
                    resource=ResourceRef(type="project", id=number),
                    account_id=account,
                )
            )
            if dies_at is Point.INSIDE_WRITE:
                die()

        if dies_at is Point.BEFORE_WRITE:
            die()
        caller = Caller(
            actor=Actor(type="user", id="usr_1"), request=RequestInfo(request_id="req_1")
        )
        self._transactions.dies_at = dies_at
        while True:
            with contextlib.suppress(*AWAY):
                await self.journal.write(
                    account, change, caller=caller, effective_everywhere=everywhere
                )
                break
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()

    async def _lease_to_a_silent_replica(self) -> None:
        """Give a lease to a replica that reports nothing: a change waits until it has run out."""
        silent = lease_id(service="authz", slot="silent", life=str(self._run))
        await self._leases.grant(silent, Report(epoch=None, applied={}, digests={}), asked=1)
        self._lease_store.looks_left = 1

    async def _wait_for_receipts(self) -> None:
        """Ask for the receipts of the changes whose process died while they waited."""
        waited = self._source["projects"].find({"everywhere": True})
        numbers = [project["_id"] async for project in waited]
        async for stored in self._source["journal"].find({}):
            row = read(stored).row
            if row.resource.id in numbers:
                revision = format_revision(row.position)
                await self._leases.receipt(revision, occurred_at=row.occurred_at)

    async def run(self) -> None:
        """Make the writes, then publish and consume everything until killed."""

        async def indexes() -> None:
            await build_indexes(self._source, *journal.INDEXES)
            await build_indexes(self._consumer, *inbox.INDEXES)

        for step in (indexes, self.journal.start, self.inbox.start):
            await open_step(step, seconds=60.0)
        supervisor = Supervisor("crashing")
        supervisor.start(
            {"relay": self.relay.run, "sweep": self.relay.sweep, "inbox": self.inbox.run}
        )
        if self.point is not Point.NONE:
            for number in range(WRITES):
                await self.write(f"{self._run}-{number}")
        else:
            await self._wait_for_receipts()
        await asyncio.Event().wait()


async def main(mongo_url: str, amqp_url: str, name: str, run: str, point: str) -> None:
    """Run the program."""
    client = connect(mongo_url, app_name="crashing")
    program = Program(client, name, point=Point(point), run=int(run), amqp_url=amqp_url)
    await declare(amqp_url, program.topology)
    await program.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
