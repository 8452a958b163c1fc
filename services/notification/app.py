"""The wiring of notification."""

import asyncio

from aiohttp.abc import AbstractResolver

from services.notification.adapters.accounts import InternalAccounts
from services.notification.adapters.links import InternalLinkSource
from services.notification.adapters.smtp import SmtpTransport
from services.notification.adapters.users import InternalUsers
from services.notification.domain.attempts import Postponed
from services.notification.domain.digests import TOLD_TOGETHER
from services.notification.domain.mails import MailSender
from services.notification.domain.messages import ENDS, MessageKind
from services.notification.domain.pace import MEMBERSHIP_ENDED, NEWER_MAIL, TOO_MANY, TOPICS
from services.notification.domain.preferences import (
    FORMER_LINK,
    OPTIONAL_KINDS,
    SWITCHED_OFF,
    UnsubscribeLinks,
)
from services.notification.domain.webhook_secrets import FORMER_SECRET
from services.notification.migrations import migrations
from services.notification.routes import INTERNAL_ROUTES, ROUTES
from services.notification.settings import Settings
from services.notification.store import (
    Deliveries,
    Digests,
    Entries,
    Messages,
    Paces,
    People,
    PreferenceRows,
    Webhooks,
)
from services.notification.subscriptions import SUBSCRIPTIONS
from services.notification.use_cases.backlog import run_backlog
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.earlier_users import learn_earlier_users
from services.notification.use_cases.live_list import run_list_looks, run_reader_checks
from services.notification.use_cases.sender import run_sender
from services.notification.use_cases.webhook_sender import run_webhook_sender
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.http.api import Api
from shared.http.checker import AuthzChecker
from shared.http.idempotency import Idempotency
from shared.http.outbound import Outbound
from shared.metrics import (
    FORMER_KEY_USES,
    MAILS_ENDED,
    MAILS_WITHHELD,
    WEBHOOK_ATTEMPTS,
    start_at_zero,
)
from shared.receivers.attempts import RequestResult
from shared.receivers.posts import ReceiverPosts
from shared.runtime.service import ServiceApp
from shared.secret_keys import secret_keys
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.wiring import JournalParts


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    names: AbstractResolver | None = None,
) -> ServiceApp:
    """Wire the service without starting anything; `names` looks up the hosts of webhooks."""
    parts = JournalParts(
        Service.NOTIFICATION,
        settings,
        bus=bus,
        clock=clock,
        timeouts=timeouts,
        migrations=migrations,
    )
    start_at_zero(
        MAILS_WITHHELD, [Service.NOTIFICATION], [MessageKind.INVITATION], [Postponed.reason]
    )
    start_at_zero(
        MAILS_WITHHELD,
        [Service.NOTIFICATION],
        TOPICS,
        [NEWER_MAIL, TOO_MANY, MEMBERSHIP_ENDED, TOLD_TOGETHER],
    )
    start_at_zero(MAILS_WITHHELD, [Service.NOTIFICATION], OPTIONAL_KINDS, [SWITCHED_OFF])
    start_at_zero(MAILS_ENDED, [Service.NOTIFICATION], ENDS)
    start_at_zero(WEBHOOK_ATTEMPTS, [Service.NOTIFICATION], RequestResult)
    start_at_zero(FORMER_KEY_USES, [Service.NOTIFICATION], [FORMER_LINK, FORMER_SECRET])
    sender = MailSender(
        address=settings.mail_from,
        name=settings.mail_from_name,
        product=settings.product_name,
        public_url=settings.public_url,
        pages=settings.pages,
    )
    webhook_key, *former = secret_keys(settings.webhook_key)
    unsubscribe_links = UnsubscribeLinks(webhook_key, settings.public_url, former=former)
    transport = SmtpTransport(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password,
        authorities=settings.smtp_ca_file,
        own_name=sender.host,
        clock=parts.clock,
        timeouts=timeouts,
    )
    outbound = Outbound(
        networks=settings.webhook_networks,
        seconds=timeouts.webhook,
        connections=settings.webhook_connections,
        resolver=names,
    )
    posts = ReceiverPosts(outbound, parts.clock, user_agent="Rolecall-Webhooks/1")
    checker = AuthzChecker(parts.internal, timeouts=timeouts)
    ctx = Ctx(
        client=parts.client,
        messages=Messages(parts.database),
        digests=Digests(parts.database),
        paces=Paces(parts.database),
        people=People(parts.database),
        entries=Entries(parts.database),
        preferences=PreferenceRows(parts.database),
        unsubscribe_links=unsubscribe_links,
        journal=parts.journal,
        transport=transport,
        links=InternalLinkSource(parts.internal),
        sender=sender,
        clock=parts.clock,
        queued=asyncio.Event(),
        timeouts=timeouts,
        webhooks=Webhooks(parts.database),
        deliveries=Deliveries(parts.database),
        posts=posts,
        accounts=InternalAccounts(parts.internal),
        users=InternalUsers(parts.internal),
        webhook_key=webhook_key,
        former_webhook_keys=former,
        webhook_networks=settings.webhook_networks,
        signed_in=checker,
    )
    authenticator = parts.authenticator(live=checker.check_live, api_tokens=checker.find_api_token)
    return parts.app(
        public=Api(
            Service.NOTIFICATION,
            ROUTES,
            ctx,
            authenticator=authenticator,
            lane_limits=parts.lane_limits,
            checker=checker,
            idempotency=Idempotency(parts.database, clock=parts.clock),
        ),
        ctx=ctx,
        inbox=parts.inbox(SUBSCRIPTIONS, ctx),
        internal_routes=INTERNAL_ROUTES,
        authenticator=authenticator,
        tasks={
            "send": lambda: run_sender(ctx, connections=settings.smtp_connections),
            "backlog": lambda: run_backlog(ctx),
            "earlier-users": lambda: learn_earlier_users(ctx),
            "webhooks": lambda: run_webhook_sender(ctx, connections=settings.webhook_connections),
            "list_looks": lambda: run_list_looks(ctx),
            "reader_checks": lambda: run_reader_checks(ctx),
        },
        drains=(ctx.lists.drain,),
        closes=(transport.close, posts.close),
    )
