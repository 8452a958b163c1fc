"""The wiring of authz."""

from services.authz.adapters.follower import Follower
from services.authz.adapters.followers import Followers
from services.authz.domain.journal_view import JournalView
from services.authz.routes import INTERNAL_ROUTES, ROUTES
from services.authz.settings import Settings
from services.authz.store.policy_state import PolicyState
from services.authz.store.sign_in_state import SignInState
from services.authz.subscriptions import handler
from services.authz.use_cases import Ctx
from shared.auth.access_tokens import TokenVerifier
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.auth.key_sources import RemoteKeys
from shared.bus import Bus, Subscription
from shared.clock import Clock, SystemClock
from shared.contracts.calls.identity import KEY_SET
from shared.contracts.topology import AUTHZ
from shared.http.api import Api
from shared.http.client import InternalClient
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

NAME = "authz"


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    view: type[JournalView] = JournalView,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> ServiceApp:
    """Wire the service without starting it; `view` follows the journals (tests replace it)."""
    clock = clock or SystemClock()
    internal = InternalClient(
        service=NAME, key=settings.internal_key, urls=settings.internal_urls, clock=clock
    )
    policy, sign_ins = PolicyState(), SignInState()
    boot = int(clock.now().timestamp() * 1000)
    team, identity = (
        Follower(
            source,
            view=view(state, boot),
            replica=settings.slot,
            internal=internal,
            clock=clock,
            timeouts=timeouts,
        )
        for source, state in (("team", policy), ("identity", sign_ins))
    )
    ctx = Ctx(
        policy=policy,
        sign_ins=sign_ins,
        team=team,
        identity=identity,
        clock=clock,
        public_url=settings.public_url,
        timeouts=timeouts,
    )
    followers = Followers(team, identity)
    running: list[Subscription] = []

    async def subscribe() -> None:
        subscription = await bus.subscribe(AUTHZ, handler(followers), on_resync=followers.check_now)
        running.append(subscription)

    async def unsubscribe() -> None:
        for subscription in running:
            await subscription.close()

    keys = RemoteKeys(lambda: internal.call(KEY_SET, "identity"), clock=clock)
    authenticator = Authenticator(
        tokens=TokenVerifier(issuer=settings.public_url, keys=keys, clock=clock),
        internal=InternalVerifier(service=NAME, keys=settings.internal_keys, clock=clock),
        admin_key=settings.admin_key,
    )
    return ServiceApp(
        NAME,
        public=Api(NAME, ROUTES, ctx, authenticator=authenticator),
        internal=Api(NAME, INTERNAL_ROUTES, ctx, authenticator=authenticator),
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
        closes=(team.release, identity.release, unsubscribe, internal.close),
        checks=lambda: {"team": team.holds(), "identity": identity.holds()},
        proxies=settings.trusted_proxies,
    )
