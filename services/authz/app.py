"""The wiring of authz."""

from services.authz.domain.policy_state import PolicyState
from services.authz.routes import INTERNAL_ROUTES, ROUTES
from services.authz.settings import Settings
from services.authz.subscriptions import handler
from services.authz.use_cases import Ctx
from shared.bus import Bus, Subscription
from shared.clock import Clock
from shared.contracts.topology import AUTHZ, Service
from shared.following.follower import Follower
from shared.following.followers import Followers
from shared.following.journal_view import JournalView
from shared.following.sign_in_state import SignInState
from shared.http.api import Api
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.wiring import Parts


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
    team, identity = (
        Follower(
            source,
            view=view(state),
            slot=settings.slot,
            internal=parts.internal,
            verifier=parts.verifier,
            clock=parts.clock,
            timeouts=timeouts,
        )
        for source, state in ((Service.TEAM, policy), (Service.IDENTITY, sign_ins))
    )
    ctx = Ctx(
        policy=policy,
        sign_ins=sign_ins,
        team=team,
        identity=identity,
        clock=parts.clock,
        public_url=settings.public_url,
        timeouts=timeouts,
    )
    followers = Followers(parts.verifier, team, identity, clock=parts.clock)
    running: list[Subscription] = []

    async def subscribe() -> None:
        subscription = await parts.bus.subscribe(
            AUTHZ, handler(followers), on_resync=followers.check_now
        )
        running.append(subscription)

    async def unsubscribe() -> None:
        for subscription in running:
            await subscription.close()

    authenticator = parts.authenticator()
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
        opens=(subscribe,),
        tasks={
            f"{follower.source}-{name}": loop
            for follower in (team, identity)
            for name, loop in (
                ("lease", follower.renew),
                ("fetch", follower.fetch),
                ("report", follower.report),
            )
        },
        closes=(team.release, identity.release, unsubscribe, parts.internal.close),
        checks=lambda: {team.source: team.holds(), identity.source: identity.holds()},
        proxies=settings.trusted_proxies,
        timeouts=timeouts,
    )
