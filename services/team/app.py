"""Build the team service: connect its parts and hand them over."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from services.team.domain.invitation_mails import NotMailed
from services.team.migrations import migrations
from services.team.routes import INTERNAL_ROUTES, ROUTES
from services.team.routes.account_routes import AccountRoutes
from services.team.settings import Settings
from services.team.store import PolicySnapshot, Store
from services.team.store.adoption import adopts
from services.team.subscriptions import SUBSCRIPTIONS
from services.team.use_cases.account_deletion import due_deletions
from services.team.use_cases.catalogs import publish_shipped, require_personal_catalog
from services.team.use_cases.context import Ctx
from services.team.use_cases.invitations import INVITATION_MAIL
from services.team.use_cases.member_activity import keep_saving
from services.team.use_cases.ownership_expiry import expired_offers
from shared.activity import RecentActivity
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.due_work import run_due_work
from shared.following.live_callers import LiveCallers
from shared.following.sign_in_state import SignInState
from shared.following_parts import Following
from shared.http.api import Api
from shared.http.idempotency import Idempotency
from shared.journal import History
from shared.leases import Leases
from shared.links import Links
from shared.metrics import FORMER_KEY_USES, MAILS_WITHHELD, start_at_zero
from shared.mongo import DbClient
from shared.runtime.service import ServiceApp
from shared.secret_keys import secret_keys
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.token_uses import TokenUseReports, TokenUses
from shared.wiring import JournalParts


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    leases: type[Leases] = Leases,
    callers: type[LiveCallers] = LiveCallers,
    store: type[Store] = Store,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    wrap: Callable[[DbClient], DbClient] | None = None,
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
        adopts=adopts,
        wrap=wrap,
    )
    rows, reserved = store(parts.database), store(parts.reserved_database)
    start_at_zero(MAILS_WITHHELD, [Service.TEAM], [INVITATION_MAIL], NotMailed)
    start_at_zero(FORMER_KEY_USES, [Service.TEAM], ["invitation"])
    link_key, *former = secret_keys(settings.link_key)
    history = History(parts.database, kept=timedelta(days=settings.history_days))
    sign_ins = SignInState()
    following = Following(parts, {Service.IDENTITY: sign_ins}, slot=settings.slot)
    live = callers(sign_ins, following.followers[Service.IDENTITY], clock=parts.clock)
    token_uses = TokenUses()
    token_reports = TokenUseReports(token_uses, parts.internal, timeouts=timeouts)
    ctx = Ctx(
        settings=settings,
        client=parts.client,
        store=rows,
        snapshot=parts.snapshot(PolicySnapshot(parts.reserved_database, reserved).read),
        journal=parts.journal,
        history=history,
        leases=parts.leases,
        internal=parts.internal,
        callers=live,
        activity=RecentActivity(),
        token_uses=token_uses,
        links=Links(link_key, "invitation", former=former),
        clock=parts.clock,
        timeouts=timeouts,
    )

    async def publish() -> None:
        await publish_shipped(ctx)
        await require_personal_catalog(ctx)

    authenticator = parts.authenticator(live=live.check, api_tokens=live.find_api_token)
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
        archive=history,
        joins=(publish,),
        tasks={
            "activity": partial(keep_saving, ctx),
            "token-uses": token_reports.run,
            "history": partial(history.run, pause=timeouts.history_poll),
            "deletions": partial(run_due_work, due_deletions(ctx), pause=timeouts.deletion_poll),
            "offer-expiry": partial(run_due_work, expired_offers(ctx), pause=timeouts.offer_poll),
        },
        following=following,
    )
