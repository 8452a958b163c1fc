"""Build the team service: connect its parts and hand them over."""

from services.team.migrations import MIGRATIONS
from services.team.routes import INTERNAL_ROUTES, ROUTES
from services.team.routes.account_routes import AccountRoutes
from services.team.settings import Settings
from services.team.store import Snapshot, Store
from services.team.subscriptions import SUBSCRIPTIONS
from services.team.use_cases.catalogs import publish_shipped
from services.team.use_cases.context import Ctx
from shared.auth.access_tokens import TokenVerifier
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.auth.key_sources import RemoteKeys
from shared.auth.keys import decode
from shared.auth.principals import UserPrincipal
from shared.bus import Bus
from shared.clock import Clock, SystemClock
from shared.contracts.calls.identity import KEY_SET
from shared.contracts.topology import TEAM
from shared.http.api import Api
from shared.http.client import InternalClient
from shared.http.idempotency import Idempotency
from shared.ids import new_id
from shared.inbox import Inbox
from shared.journal import Journal, journal_routes
from shared.journal.relay import Relay
from shared.leases import Leases, MongoLeaseStore, lease_routes
from shared.links import Links
from shared.migrations import migrate
from shared.mongo import connect
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

NAME = "team"


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    leases: type[Leases] = Leases,
    store: type[Store] = Store,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> ServiceApp:
    """Build the service; `start` runs it."""
    clock = clock or SystemClock()
    client = connect(settings.mongo_url.get_secret_value(), app_name=NAME, timeouts=timeouts)
    database = client[settings.mongo_database]
    lease_store = MongoLeaseStore(client, database)
    granted = leases(lease_store, clock=clock, ttl=settings.lease_seconds, timeouts=timeouts)
    relay = Relay(database, bus, holder=new_id("prc"), clock=clock)
    journal = Journal(
        client, database, source=NAME, relay=relay, clock=clock, leases=granted, timeouts=timeouts
    )
    internal = InternalClient(
        service=NAME,
        key=settings.internal_key,
        urls=settings.internal_urls,
        clock=clock,
        timeouts=timeouts,
    )
    rows = store(database)
    idempotency = Idempotency(database, clock=clock)
    ctx = Ctx(
        settings=settings,
        client=client,
        store=rows,
        snapshot=Snapshot(database, rows),
        journal=journal,
        leases=granted,
        internal=internal,
        links=Links(decode(settings.link_key.get_secret_value()), "invitation"),
        clock=clock,
    )
    inbox = Inbox(
        client,
        database,
        bus=bus,
        queue=TEAM,
        sources=("identity",),
        internal=internal,
        subscriptions=SUBSCRIPTIONS,
        ctx=ctx,
        clock=clock,
    )
    keys = RemoteKeys(lambda: internal.call(KEY_SET, "identity"), clock=clock)

    async def live(user: UserPrincipal) -> bool:
        return not await rows.session_ended(user.session_id)

    authenticator = Authenticator(
        tokens=TokenVerifier(issuer=settings.public_url, keys=keys, clock=clock),
        internal=InternalVerifier(service=NAME, keys=settings.internal_keys, clock=clock),
        admin_key=settings.admin_key,
        live=live,
    )

    async def prepare() -> None:
        await migrate(database, MIGRATIONS, clock=clock, timeouts=timeouts)
        await journal.start()

    async def publish() -> None:
        await publish_shipped(ctx)

    async def close() -> None:
        client.close()

    inside = (*INTERNAL_ROUTES, *journal_routes(journal), *lease_routes(granted, clock))
    return ServiceApp(
        NAME,
        public=Api(
            NAME,
            ROUTES,
            ctx,
            authenticator=authenticator,
            idempotency=idempotency,
            account_routes=AccountRoutes(ctx),
        ),
        internal=Api(NAME, inside, ctx, authenticator=authenticator),
        opens=(prepare, publish, inbox.start),
        tasks={"relay": relay.run, "sweep": relay.sweep, "inbox": inbox.run},
        closes=(inbox.stop, granted.close, internal.close, close),
        checks=lambda: {"bus": inbox.connected},
        proxies=settings.trusted_proxies,
        timeouts=timeouts,
    )
