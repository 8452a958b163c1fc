"""Build the team service: connect its parts and hand them over."""

from services.team.migrations import migrations
from services.team.routes import INTERNAL_ROUTES, ROUTES
from services.team.routes.account_routes import AccountRoutes
from services.team.settings import Settings
from services.team.store import Snapshot, Store
from services.team.subscriptions import SUBSCRIPTIONS
from services.team.use_cases.catalogs import publish_shipped
from services.team.use_cases.context import Ctx
from shared.auth.keys import decode
from shared.auth.principals import UserPrincipal
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.http.api import Api
from shared.http.idempotency import Idempotency
from shared.leases import Leases
from shared.links import Links
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.wiring import JournalParts


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
    parts = JournalParts(
        Service.TEAM,
        settings,
        bus=bus,
        clock=clock,
        timeouts=timeouts,
        migrations=migrations,
        leases=leases,
        lease_seconds=settings.lease_seconds,
    )
    rows = store(parts.database)
    ctx = Ctx(
        settings=settings,
        client=parts.client,
        store=rows,
        snapshot=Snapshot(parts.database, rows),
        journal=parts.journal,
        leases=parts.leases,
        internal=parts.internal,
        links=Links(decode(settings.link_key.get_secret_value()), "invitation"),
        clock=parts.clock,
    )

    async def live(user: UserPrincipal) -> bool:
        return not await rows.session_ended(user.session_id)

    async def publish() -> None:
        await publish_shipped(ctx)

    authenticator = parts.authenticator(live=live)
    return parts.app(
        public=Api(
            Service.TEAM,
            ROUTES,
            ctx,
            authenticator=authenticator,
            lane_limits=parts.lane_limits,
            idempotency=Idempotency(parts.database, clock=parts.clock),
            account_routes=AccountRoutes(ctx),
        ),
        ctx=ctx,
        inbox=parts.inbox(SUBSCRIPTIONS, ctx),
        internal_routes=INTERNAL_ROUTES,
        authenticator=authenticator,
        joins=(publish,),
    )
