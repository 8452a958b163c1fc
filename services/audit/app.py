"""The wiring of audit."""

from services.audit.migrations import MIGRATIONS
from services.audit.routes import INTERNAL_ROUTES, ROUTES
from services.audit.settings import Settings
from services.audit.store import Records
from services.audit.subscriptions import SUBSCRIPTIONS
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.ingest import Ingest
from shared.auth.access_tokens import TokenVerifier
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.auth.key_sources import RemoteKeys
from shared.bus import Bus
from shared.clock import Clock, SystemClock
from shared.contracts import topology
from shared.contracts.calls.identity import KEY_SET
from shared.http.api import Api
from shared.http.checker import AuthzChecker
from shared.http.client import InternalClient
from shared.ids import new_id
from shared.inbox import Inbox
from shared.journal import Journal, journal_routes
from shared.journal.relay import Relay
from shared.migrations import migrate
from shared.mongo import connect
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> ServiceApp:
    """Wire the service without starting anything."""
    clock = clock or SystemClock()
    client = connect(settings.mongo_url.get_secret_value(), app_name="audit", timeouts=timeouts)
    database = client[settings.mongo_database]
    internal = InternalClient(
        service="audit",
        key=settings.internal_key,
        urls=settings.internal_urls,
        clock=clock,
        timeouts=timeouts,
    )
    relay = Relay(database, bus, holder=new_id("prc"), clock=clock)
    journal = Journal(client, database, source="audit", relay=relay, clock=clock, timeouts=timeouts)
    records = Records(database)
    ctx = Ctx(
        records=records,
        ingest=Ingest(client, records, clock),
        journal=journal,
        clock=clock,
        complete_until=lambda: inbox.complete_until,
    )
    inbox = Inbox(
        client,
        database,
        bus=bus,
        queue=topology.AUDIT,
        sources=topology.AUDIT.sources,
        internal=internal,
        subscriptions=SUBSCRIPTIONS,
        ctx=ctx,
        clock=clock,
    )
    authenticator = Authenticator(
        tokens=TokenVerifier(
            issuer=settings.public_url,
            keys=RemoteKeys(lambda: internal.call(KEY_SET, "identity"), clock=clock),
            clock=clock,
        ),
        internal=InternalVerifier(service="audit", keys=settings.internal_keys, clock=clock),
        admin_key=settings.admin_key,
    )

    async def close_client() -> None:
        client.close()

    return ServiceApp(
        "audit",
        public=Api(
            "audit",
            ROUTES,
            ctx,
            authenticator=authenticator,
            checker=AuthzChecker(internal, timeouts=timeouts),
        ),
        internal=Api(
            "audit",
            (*INTERNAL_ROUTES, *journal_routes(journal)),
            ctx,
            authenticator=authenticator,
        ),
        opens=(
            lambda: migrate(database, MIGRATIONS, clock=clock, timeouts=timeouts),
            journal.start,
            inbox.start,
        ),
        tasks={"relay": relay.run, "sweep": relay.sweep, "inbox": inbox.run},
        closes=(inbox.stop, internal.close, close_client),
        checks=lambda: {"bus": inbox.connected},
        proxies=settings.trusted_proxies,
        timeouts=timeouts,
    )
