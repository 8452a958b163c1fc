"""The wiring of notification."""

import asyncio

from services.notification.adapters.links import InternalLinkSource
from services.notification.adapters.smtp import SmtpTransport
from services.notification.domain.mails import MailSender
from services.notification.migrations import MIGRATIONS
from services.notification.routes import INTERNAL_ROUTES, ROUTES
from services.notification.settings import Settings
from services.notification.store import Messages
from services.notification.subscriptions import SUBSCRIPTIONS
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.sender import run_sender
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.bus import Bus
from shared.clock import Clock, SystemClock
from shared.contracts import topology
from shared.http.api import Api
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
    client = connect(
        settings.mongo_url.get_secret_value(), app_name="notification", timeouts=timeouts
    )
    database = client[settings.mongo_database]
    internal = InternalClient(
        service="notification",
        key=settings.internal_key,
        urls=settings.internal_urls,
        clock=clock,
        timeouts=timeouts,
    )
    relay = Relay(database, bus, holder=new_id("prc"), clock=clock)
    journal = Journal(
        client, database, source="notification", relay=relay, clock=clock, timeouts=timeouts
    )
    sender = MailSender(
        address=settings.mail_from,
        name=settings.mail_from_name,
        product=settings.product_name,
        public_url=settings.public_url,
    )
    transport = SmtpTransport(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password,
        own_name=sender.host,
        clock=clock,
        timeouts=timeouts,
    )
    ctx = Ctx(
        client=client,
        messages=Messages(database),
        journal=journal,
        transport=transport,
        links=InternalLinkSource(internal),
        sender=sender,
        clock=clock,
        queued=asyncio.Event(),
        timeouts=timeouts,
    )
    inbox = Inbox(
        client,
        database,
        bus=bus,
        queue=topology.NOTIFICATION,
        sources=topology.NOTIFICATION.sources,
        internal=internal,
        subscriptions=SUBSCRIPTIONS,
        ctx=ctx,
        clock=clock,
    )
    authenticator = Authenticator(
        internal=InternalVerifier(service="notification", keys=settings.internal_keys, clock=clock),
        admin_key=settings.admin_key,
    )

    async def close_client() -> None:
        client.close()

    return ServiceApp(
        "notification",
        public=Api("notification", ROUTES, ctx, authenticator=authenticator),
        internal=Api(
            "notification",
            (*INTERNAL_ROUTES, *journal_routes(journal)),
            ctx,
            authenticator=authenticator,
        ),
        opens=(
            lambda: migrate(database, MIGRATIONS, clock=clock, timeouts=timeouts),
            journal.start,
            inbox.start,
        ),
        tasks={
            "relay": relay.run,
            "sweep": relay.sweep,
            "inbox": inbox.run,
            "send": lambda: run_sender(ctx, connections=settings.smtp_connections),
        },
        closes=(inbox.stop, transport.close, internal.close, close_client),
        checks=lambda: {"bus": inbox.connected},
        proxies=settings.trusted_proxies,
        timeouts=timeouts,
    )
