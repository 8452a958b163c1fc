"""The wiring of identity."""

import asyncio
from collections.abc import Awaitable, Callable

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.adapters.keyring import Keyring
from services.identity.migrations import MIGRATIONS
from services.identity.routes import INTERNAL_ROUTES, ROUTES
from services.identity.settings import Settings
from services.identity.store import Store
from services.identity.subscriptions import SUBSCRIPTIONS
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.signing_keys import open_keyring
from shared.auth.access_tokens import TokenVerifier
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.bus import Bus
from shared.clock import Clock, SystemClock
from shared.contracts.topology import IDENTITY
from shared.http.api import Api
from shared.http.checker import AuthzChecker
from shared.http.client import InternalClient
from shared.ids import new_id
from shared.inbox import Inbox
from shared.journal import Journal, journal_routes
from shared.journal.relay import Relay
from shared.leases import Leases, MongoLeaseStore, lease_routes
from shared.links import Links
from shared.migrations import migrate
from shared.mongo import connect
from shared.runtime.service import ServiceApp
from shared.runtime.settings import secret_bytes
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

NAME = "identity"
SNAPSHOT_PAGE_SIZE = 500


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    leases: type[Leases] = Leases,
    journal: type[Journal] = Journal,
    store: type[Store] = Store,
    hasher: Argon2Hasher | None = None,
    snapshot_page_size: int = SNAPSHOT_PAGE_SIZE,
) -> ServiceApp:
    """Wire the service; nothing runs yet."""
    clock = clock or SystemClock()
    client = connect(settings.mongo_url.get_secret_value(), app_name=NAME, timeouts=timeouts)
    database = client[settings.mongo_database]
    lease_store = MongoLeaseStore(client, database)
    granted = leases(lease_store, clock=clock, ttl=settings.lease_seconds, timeouts=timeouts)
    relay = Relay(database, bus, holder=new_id("prc"), clock=clock)
    own_journal = journal(
        client, database, source=NAME, relay=relay, clock=clock, leases=granted, timeouts=timeouts
    )
    internal = InternalClient(
        service=NAME,
        key=settings.internal_key,
        urls=settings.internal_urls,
        clock=clock,
        timeouts=timeouts,
    )
    hasher, keyring = hasher or Argon2Hasher(), Keyring()
    ctx = Ctx(
        settings=settings,
        clock=clock,
        pause=pause,
        store=store(database),
        journal=own_journal,
        hasher=hasher,
        keyring=keyring,
        verification_links=Links(secret_bytes(settings.link_key), "verification"),
        refresh_tokens=Links(secret_bytes(settings.refresh_key), "refresh"),
        internal=internal,
        checker=AuthzChecker(internal, timeouts=timeouts),
        snapshot_page_size=snapshot_page_size,
    )
    inbox = Inbox(
        client,
        database,
        bus=bus,
        queue=IDENTITY,
        sources=("team",),
        internal=internal,
        subscriptions=SUBSCRIPTIONS,
        ctx=ctx,
        clock=clock,
    )
    authenticator = Authenticator(
        tokens=TokenVerifier(issuer=settings.public_url, keys=keyring.public, clock=clock),
        internal=InternalVerifier(service=NAME, keys=settings.internal_keys, clock=clock),
        admin_key=settings.admin_key,
    )

    async def prepare() -> None:
        await migrate(database, MIGRATIONS, clock=clock, timeouts=timeouts)
        await own_journal.start()

    async def open_keys() -> None:
        await open_keyring(ctx, secret_bytes(settings.sealing_key))

    async def close() -> None:
        hasher.close()
        client.close()

    inside = (*INTERNAL_ROUTES, *journal_routes(own_journal), *lease_routes(granted, clock))
    return ServiceApp(
        NAME,
        public=Api(NAME, ROUTES, ctx, authenticator=authenticator),
        internal=Api(NAME, inside, ctx, authenticator=authenticator),
        opens=(prepare, open_keys, inbox.start),
        tasks={"relay": relay.run, "sweep": relay.sweep, "inbox": inbox.run},
        closes=(inbox.stop, granted.close, internal.close, close),
        checks=lambda: {"bus": inbox.connected},
        proxies=settings.trusted_proxies,
        timeouts=timeouts,
    )
