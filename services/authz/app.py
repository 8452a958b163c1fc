"""The wiring of authz."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import ModuleType

from services.authz.adapters.activity_reports import ActivityReports
from services.authz.adapters.check_counter import CheckCounter
from services.authz.adapters.compiled import COMPILED
from services.authz.adapters.decision_reports import OF_ALLOWS, OF_DENIALS, DecisionReports
from services.authz.adapters.forward_auth_files import read_map
from services.authz.adapters.group_calls import GroupCalls
from services.authz.adapters.past_policies import PastPolicies
from services.authz.adapters.sealed_places import SealedPlaces
from services.authz.domain.allow_samples import AllowSamples
from services.authz.domain.decision_counts import DecisionCounts, Denied
from services.authz.domain.groups import AccountGroups
from services.authz.domain.policy_state import PolicyState
from services.authz.routes import GATEWAY_ROUTES, INTERNAL_ROUTES, ROUTES
from services.authz.routes.hot_evaluation import HotEvaluations
from services.authz.routes.sent_on import sent_on
from services.authz.settings import Settings
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.policy_feed import PolicyFeed, ToldSignIns, ToldState
from shared.activity import RecentActivity
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.following.journal_view import JournalView
from shared.following.live_callers import LiveCallers
from shared.following.sign_in_state import SignInState
from shared.following_parts import Following
from shared.http.api import Api
from shared.http.routes import Route
from shared.parts import Parts
from shared.runtime.connections import Connection
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.token_uses import TokenUseReports, TokenUses


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    view: type[JournalView] = JournalView,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    hot_path: bool = True,
    compiled: ModuleType | None = COMPILED,
) -> ServiceApp:
    """Wire the service without starting it; `view` follows the journals (tests replace it).

    Without the `hot_path` aiohttp answers every request and no body is read quickly, which a client
    cannot tell. What is usual there is decided by the `compiled` module if there is one.
    """
    routes: tuple[Route, ...] = (*ROUTES, *GATEWAY_ROUTES)
    if not hot_path:
        routes = tuple(replace(route, reads_quickly=None) for route in routes)
    internal_routes: tuple[Route, ...] = INTERNAL_ROUTES
    groups = AccountGroups.of(settings.group, len(settings.group_urls)) if settings.group else None
    closes: tuple[Callable[[], Awaitable[None]], ...] = ()
    if groups is not None:
        calls = GroupCalls(
            groups,
            public=settings.group_urls,
            inside=settings.group_internal_urls,
            timeouts=timeouts,
        )
        routes = tuple(sent_on(route, groups, calls) for route in routes)
        internal_routes = tuple(sent_on(route, groups, calls) for route in internal_routes)
        closes = (calls.close,)
    parts = Parts(Service.AUTHZ, settings, bus=bus, clock=clock, timeouts=timeouts)
    policy, sign_ins = PolicyState(groups), SignInState()
    feed = PolicyFeed(clock=parts.clock, timeouts=timeouts)
    following = Following(
        parts,
        {
            Service.TEAM: ToldState(policy, feed),
            Service.IDENTITY: ToldSignIns(sign_ins, feed),
        },
        slot=settings.slot,
        view=view,
        shards=None if groups is None else {Service.TEAM: groups.shards},
    )
    team, identity = (following.followers[each] for each in (Service.TEAM, Service.IDENTITY))
    callers = LiveCallers(sign_ins, identity, clock=parts.clock)
    activity = RecentActivity()
    reports = ActivityReports(activity, parts.internal, timeouts=timeouts)
    denials: DecisionCounts[Denied] = DecisionCounts()
    allows = AllowSamples(settings.allow_samples)
    denial_reports = DecisionReports(
        OF_DENIALS, denials, parts.internal, clock=parts.clock, timeouts=timeouts
    )
    allow_reports = DecisionReports(
        OF_ALLOWS, allows.counts, parts.internal, clock=parts.clock, timeouts=timeouts
    )
    token_uses = TokenUses()
    token_reports = TokenUseReports(token_uses, parts.internal, timeouts=timeouts)
    ctx = Ctx(
        policy=policy,
        sign_ins=sign_ins,
        team=team,
        identity=identity,
        callers=callers,
        feed=feed,
        activity=activity,
        token_uses=token_uses,
        counter=CheckCounter(sample=settings.check_sample),
        denials=denials,
        allows=allows,
        past=PastPolicies(parts.internal, clock=parts.clock, timeouts=timeouts),
        places=SealedPlaces(settings.internal_key),
        clock=parts.clock,
        public_url=settings.public_url,
        forward_auth=read_map(settings.forward_auth_file),
        timeouts=timeouts,
        groups=groups,
    )
    authenticator = parts.authenticator(live=callers.check, api_tokens=callers.find_api_token)
    public = Api(
        Service.AUTHZ,
        routes,
        ctx,
        authenticator=authenticator,
        lane_limits=parts.lane_limits,
    )
    hot = HotEvaluations(public, ctx, proxies=settings.proxies, compiled=compiled)
    return ServiceApp(
        Service.AUTHZ,
        public=public,
        internal=Api(
            Service.AUTHZ,
            internal_routes,
            ctx,
            authenticator=authenticator,
            lane_limits=parts.lane_limits,
        ),
        opens=(following.start,),
        tasks={
            **parts.tasks,
            **following.tasks,
            "activity": reports.run,
            "token-uses": token_reports.run,
            "denials": denial_reports.run,
            "allows": allow_reports.run,
        },
        drains=(feed.drain,),
        closes=(
            denial_reports.close,
            allow_reports.close,
            following.stop,
            parts.internal.close,
            *closes,
        ),
        checks=lambda: {**parts.checks(), **following.checks()},
        informational=lambda: {"bus": following.connected},
        proxies=settings.proxies,
        timeouts=timeouts,
        make_connection=hot.connection if hot_path else Connection,
    )
