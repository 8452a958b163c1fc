"""The wiring of authz."""

from rolecall import Reason
from services.authz.adapters.activity_reports import ActivityReports
from services.authz.domain.checks import SUBJECT_UNKNOWN
from services.authz.domain.policy_state import PolicyState
from services.authz.routes import INTERNAL_ROUTES, ROUTES
from services.authz.routes.evaluation import ALLOW, DENY
from services.authz.settings import Settings
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.policy_feed import PolicyFeed, ToldState
from shared.activity import RecentActivity
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.following.journal_view import JournalView
from shared.following.live_callers import LiveCallers
from shared.following.sign_in_state import SignInState
from shared.http.api import Api
from shared.metrics import CHECKS, start_at_zero
from shared.parts import Parts
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.wiring import Following


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    view: type[JournalView] = JournalView,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> ServiceApp:
    """Wire the service without starting it; `view` follows the journals (tests replace it)."""
    parts = Parts(Service.AUTHZ, settings, bus=bus, clock=clock, timeouts=timeouts)
    policy, sign_ins = PolicyState(), SignInState()
    feed = PolicyFeed(clock=parts.clock, timeouts=timeouts)
    following = Following(
        parts,
        {
            Service.TEAM: ToldState(policy, feed, told=True),
            Service.IDENTITY: ToldState(sign_ins, feed, told=False),
        },
        slot=settings.slot,
        view=view,
    )
    team, identity = (following.followers[each] for each in (Service.TEAM, Service.IDENTITY))
    callers = LiveCallers(sign_ins, identity)
    activity = RecentActivity()
    reports = ActivityReports(activity, parts.internal, timeouts=timeouts)
    ctx = Ctx(
        policy=policy,
        sign_ins=sign_ins,
        team=team,
        identity=identity,
        callers=callers,
        feed=feed,
        activity=activity,
        clock=parts.clock,
        public_url=settings.public_url,
        timeouts=timeouts,
    )
    start_at_zero(CHECKS, [ALLOW], [Reason.ALLOWED])
    start_at_zero(CHECKS, [DENY], {SUBJECT_UNKNOWN, *Reason} - {Reason.ALLOWED})
    authenticator = parts.authenticator(live=callers.check)
    return ServiceApp(
        Service.AUTHZ,
        public=Api(
            Service.AUTHZ, ROUTES, ctx, authenticator=authenticator, lane_limits=parts.lane_limits
        ),
        internal=Api(
            Service.AUTHZ,
            INTERNAL_ROUTES,
            ctx,
            authenticator=authenticator,
            lane_limits=parts.lane_limits,
        ),
        opens=(following.start,),
        tasks={**parts.tasks, **following.tasks, "activity": reports.run},
        drains=(feed.drain,),
        closes=(following.stop, parts.internal.close),
        checks=lambda: {**parts.checks(), **following.checks()},
        informational=lambda: {"bus": following.connected},
        proxies=settings.proxies,
        timeouts=timeouts,
    )
