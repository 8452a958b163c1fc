"""How is identity wired?"""

from services.identity.context import Ctx
from services.identity.migrations import MIGRATIONS
from services.identity.passwords import Passwords
from services.identity.routes import INTERNAL_ROUTES, ROUTES
from services.identity.settings import Settings, secret_bytes
from services.identity.signing_keys import Keyring
from services.identity.store import Store
from services.identity.subscriptions import SUBSCRIPTIONS
from services.identity.use_cases import open_keyring
from shared.auth import Authenticator, TokenVerifier
from shared.auth.internal_tokens import InternalVerifier
from shared.bus import Bus
from shared.clock import Clock, SystemClock
from shared.contracts.topology import IDENTITY
from shared.http import Api, AuthzChecker
from shared.http.client import InternalClient
from shared.ids import new_id
from shared.inbox import Inbox
from shared.journal import Journal
from shared.journal.relay import Relay
from shared.journal.routes import journal_routes
from shared.leases import Leases, MongoLeaseStore, lease_routes
from shared.links import Links
from shared.migrations import migrate
from shared.mongo import connect
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

NAME = "identity"


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    leases: type[Leases] = Leases,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> ServiceApp:
    """Wire the service; nothing runs yet."""
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
    passwords, keyring = Passwords(), Keyring()
    ctx = Ctx(
        settings=settings,
        clock=clock,
        store=Store(database),
        journal=journal,
        passwords=passwords,
        keyring=keyring,
        verification_links=Links(secret_bytes(settings.link_key), "verification"),
        refresh_tokens=Links(secret_bytes(settings.refresh_key), "refresh"),
        internal=internal,
        checker=AuthzChecker(internal, timeouts=timeouts),
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
        await journal.start()

    async def keys() -> None:
        await open_keyring(ctx, secret_bytes(settings.sealing_key))

    async def close() -> None:
        passwords.close()
        client.close()

    inside = (*INTERNAL_ROUTES, *journal_routes(journal), *lease_routes(granted, clock))
    return ServiceApp(
        NAME,
        public=Api(NAME, ROUTES, ctx, authenticator=authenticator),
        internal=Api(NAME, inside, ctx, authenticator=authenticator),
        opens=(prepare, keys, inbox.start),
        tasks={"relay": relay.run, "sweep": relay.sweep, "inbox": inbox.run},
        closes=(inbox.stop, granted.close, internal.close, close),
        checks=lambda: {"bus": inbox.connected},
        proxies=settings.trusted_proxies,
        timeouts=timeouts,
    )
