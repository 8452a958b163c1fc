"""The parts of a service that has a journal, connected with each other.

A service's `app.py` makes its context and its own parts, and lists what it adds. The order in which
parts start and stop is written here once.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from shared import metrics
from shared.auth.authenticator import Authenticator
from shared.auth.keys import read_private
from shared.auth.row_signatures import RowKeys, RowSigner
from shared.bus import PREFETCH, Bus
from shared.clock import Clock
from shared.contracts.topology import QUEUES, Service
from shared.elections import Election
from shared.following_parts import Following
from shared.http.api import Api
from shared.http.idempotency import Idempotency
from shared.http.routes import Route
from shared.ids import new_id
from shared.inbox import Inbox, Subscriptions
from shared.inbox.confirmations import Narrow
from shared.inbox.routes import dead_fact_routes
from shared.journal import Adopt, Adoption, Journal, Restores, Snapshot, journal_routes
from shared.journal.relay import Relay
from shared.journal.snapshot import ReadPage
from shared.journal.trim_rows import TrimRows
from shared.journal.trim_words import TrimWords
from shared.journal.trimmer import Archive, Trimmer
from shared.leases import Leases, MongoLeaseStore, lease_routes
from shared.leases.receipt import RECEIPT_RETENTION
from shared.migrations import Migration, migrate, require_expanded
from shared.mongo import Database, DbClient, DbSession, connect, connect_reserved
from shared.parts import Parts
from shared.runtime.service import ServiceApp
from shared.runtime.settings import MigrateWhen, ServiceSettings
from shared.runtime.start import Step
from shared.runtime.supervisor import Loop
from shared.timeouts import Timeouts


class JournalParts(Parts):
    """The parts of a service with a database: also its journal and inbox, and leases if it has any.

    Access to policy changes in a service with `leases`; its settings say how long one lasts.
    """

    def __init__(
        self,
        service: Service,
        settings: ServiceSettings,
        *,
        bus: Bus,
        clock: Clock | None,
        timeouts: Timeouts,
        migrations: Callable[[RowSigner], Sequence[Migration]],
        journal: type[Journal] = Journal,
        leases: type[Leases] | None = None,
        lease_seconds: float = 0,
        adopts: Callable[[Database], Adopt] | None = None,
        wrap: Callable[[DbClient], DbClient] | None = None,
    ) -> None:
        """Connect the parts; nothing runs yet.

        `adopts` makes what finds the documents of earlier replicas. `wrap` gives every client of
        the database another form, except that of the migrations.
        """
        super().__init__(service, settings, bus=bus, clock=clock, timeouts=timeouts)
        url = settings.mongo_url.get_secret_value()
        self.client = connect(url, app_name=service, timeouts=timeouts)
        self._migrated = self.client[settings.mongo_database]
        self._reserved_client = connect_reserved(url, app_name=service, timeouts=timeouts)
        if wrap is not None:
            self.client, self._reserved_client = wrap(self.client), wrap(self._reserved_client)
        self.database = self.client[settings.mongo_database]
        self.reserved_database = self._reserved_client[settings.mongo_database]
        """The same database for what other services wait for; no request of a user delays it."""
        self._lease_store = MongoLeaseStore(self._reserved_client, self.reserved_database)
        self._leases = None
        if leases is not None:
            self._leases = leases(
                self._lease_store, clock=self.clock, ttl=lease_seconds, timeouts=timeouts
            )
        signer = RowSigner(read_private(settings.journal_key.get_secret_value()))
        self._trim_words = TrimWords(service, signer, RowKeys(settings.journal_keys))
        self._relay = Relay(self.reserved_database, bus, holder=new_id("prc"), clock=self.clock)
        self._adoption = None
        if adopts is not None:
            self._adoption = Adoption(self.client, self.database, adopts(self.database))
        self.journal = journal(
            self.client,
            self.database,
            read_from=self.reserved_database,
            source=service,
            signer=signer,
            relay=self._relay,
            clock=self.clock,
            leases=self._leases,
            adoption=self._adoption,
            timeouts=timeouts,
        )
        self._restores = Restores(self.database, self.journal)
        self._migrations = migrations(signer)
        self._migrate_when = settings.migrate
        self._journal_retention_days = settings.journal_retention_days
        self._proxies = settings.proxies

    @property
    def leases(self) -> Leases:
        """The leases that this service grants to the replicas that follow its journal.

        Raises:
            RuntimeError: the service was made without leases.
        """
        if self._leases is None:
            raise RuntimeError(f"{self.service} has no leases")
        return self._leases

    def snapshot(self, read: ReadPage[DbSession]) -> Snapshot:
        """Make the snapshot that replicas load; `read` reads a page from `reserved_database`."""
        return Snapshot(self.service, self._lease_store, read)

    def inbox(
        self,
        subscriptions: Subscriptions,
        ctx: Any,
        *,
        prefetch: int = PREFETCH,
        narrow: Narrow | None = None,
    ) -> Inbox:
        """Make the inbox of the service's queue.

        `prefetch` is the number of messages that the bus hands over at once. `narrow` takes back
        what the service still needs of the rows that it has applied.
        """
        queue = QUEUES[self.service]
        metrics.start_at_zero(metrics.PUT_ASIDE, [self.service], queue.sources)
        return Inbox(
            self.client,
            self.database,
            bus=self.bus,
            queue=queue,
            sources=queue.sources,
            internal=self.internal,
            verifier=self.verifier,
            subscriptions=subscriptions,
            ctx=ctx,
            clock=self.clock,
            prefetch=prefetch,
            narrow=narrow,
        )

    def app(
        self,
        *,
        public: Api,
        ctx: Any,
        inbox: Inbox,
        internal_routes: Sequence[Route],
        authenticator: Authenticator,
        idempotency: Idempotency | None = None,
        opens: Sequence[Step] = (),
        joins: Sequence[Step] = (),
        tasks: Mapping[str, Loop] | None = None,
        closes: Sequence[Step] = (),
        drains: Sequence[Callable[[], None]] = (),
        following: Following | None = None,
        archive: Archive | None = None,
    ) -> ServiceApp:
        """Put the service together; `idempotency` is for its internal routes.

        `opens` run when the journal is open and before other services may call. `joins` may wait
        for other services, and run before facts arrive. No step waits for a lease of `following`.
        `closes` run when no fact arrives any more and before the database closes. `drains` end the
        answers that last as long as their connection. `archive` keeps what is needed of rows that
        leave the journal.
        """
        trimmer = self._trimmer(archive)
        routes = (
            *internal_routes,
            *journal_routes(self.journal, self._restores, trimmer),
            *dead_fact_routes(inbox.dead, self.journal),
        )
        tasks = dict(tasks or {})
        if self._leases is not None:
            routes += lease_routes(self._leases, self.clock)
            tasks["leases"] = self._leases.sweep
            closes = (self._leases.close, *closes)
        if self._adoption is not None:
            tasks["adoption"] = self._adoption.run
        if following is not None:
            joins = (*joins, following.start)
            tasks |= following.tasks
            closes = (following.stop, *closes)
        return ServiceApp(
            self.service,
            public=public,
            internal=Api(
                self.service,
                routes,
                ctx,
                authenticator=authenticator,
                idempotency=idempotency,
                lane_limits=self.lane_limits,
            ),
            opens=(self._migrate, self.journal.start, self._restores.start, *opens),
            joins=(*joins, inbox.start),
            tasks={
                "relay": self._relay.run,
                "sweep": self._relay.sweep,
                "inbox": inbox.run,
                "marks": inbox.save_marks,
                "dead-facts": inbox.count_dead,
                "confirmations": partial(inbox.confirmations.run, pause=self.timeouts.confirm_poll),
                "trimming": partial(trimmer.run, pause=self.timeouts.trim_poll),
                **self.tasks,
                **tasks,
            },
            closes=(inbox.stop, *closes, self.internal.close, self._close_client),
            drains=drains,
            checks=lambda: {
                **self.checks(),
                **({} if following is None else following.checks()),
            },
            informational=lambda: {
                "bus": inbox.connected and (following is None or following.connected),
                "database": self._relay.database.answers,
            },
            proxies=self._proxies,
            timeouts=self.timeouts,
        )

    def _trimmer(self, archive: Archive | None) -> Trimmer:
        """What trims the journal; rows are kept as long as receipts, where there are some."""
        least = timedelta() if self._leases is None else RECEIPT_RETENTION
        return Trimmer(
            self.service,
            TrimRows(self.client, self.database, self._trim_words),
            self._restores,
            Election(self.database, "trimmer", holder=new_id("prc"), clock=self.clock),
            self.clock,
            retention=max(timedelta(days=self._journal_retention_days), least),
            archive=archive,
        )

    async def _migrate(self) -> None:
        if self._migrate_when is MigrateWhen.APART:
            await require_expanded(
                self._migrated, self._migrations, clock=self.clock, service=self.service
            )
            return
        await migrate(self._migrated, self._migrations, clock=self.clock, timeouts=self.timeouts)

    async def _close_client(self) -> None:
        self.client.close()
        self._reserved_client.close()
