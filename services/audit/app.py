"""The wiring of audit."""

from services.audit.migrations import migrations
from services.audit.routes import INTERNAL_ROUTES, ROUTES
from services.audit.settings import Settings
from services.audit.store import Store
from services.audit.subscriptions import SUBSCRIPTIONS
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.ingest import Ingest
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.http.api import Api
from shared.http.checker import AuthzChecker
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.wiring import JournalParts


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> ServiceApp:
    """Wire the service without starting anything."""
    parts = JournalParts(
        Service.AUDIT, settings, bus=bus, clock=clock, timeouts=timeouts, migrations=migrations
    )
    store = Store(parts.database)
    ctx = Ctx(
        store=store,
        ingest=Ingest(parts.client, store, parts.clock),
        journal=parts.journal,
        internal=parts.internal,
        clock=parts.clock,
        complete_until=lambda: inbox.complete_until,
    )
    inbox = parts.inbox(SUBSCRIPTIONS, ctx)
    checker = AuthzChecker(parts.internal, timeouts=timeouts)
    authenticator = parts.authenticator(live=checker.check_live, api_tokens=checker.find_api_token)
    return parts.app(
        public=Api(
            Service.AUDIT,
            ROUTES,
            ctx,
            authenticator=authenticator,
            lane_limits=parts.lane_limits,
            checker=checker,
        ),
        ctx=ctx,
        inbox=inbox,
        internal_routes=INTERNAL_ROUTES,
        authenticator=authenticator,
    )
