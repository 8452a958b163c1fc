"""How is authz wired?"""

from services.authz.follower import Follower, Sources
from services.authz.replica import JournalView
from services.authz.routes import INTERNAL_ROUTES, ROUTES
from services.authz.settings import Settings
from services.authz.store import Policy, SignIns
from services.authz.subscriptions import handler
from services.authz.use_cases import Ctx
from shared.auth import Authenticator, RemoteKeys, TokenVerifier
from shared.auth.internal_tokens import InternalVerifier
from shared.bus import Bus, Subscription
from shared.clock import Clock, SystemClock
from shared.contracts.calls import KEY_SET
from shared.contracts.topology import AUTHZ
from shared.http import Api
from shared.http.client import InternalClient
from shared.runtime.service import ServiceApp

NAME = "authz"


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    view: type[JournalView] = JournalView,
) -> ServiceApp:
    """Wire the service; nothing runs yet. `view` is how a journal is followed (tests vary it)."""
    clock = clock or SystemClock()
    internal = InternalClient(
        service=NAME, key=settings.internal_key, urls=settings.internal_urls, clock=clock
    )
    policy, sign_ins = Policy(), SignIns()
    boot = int(clock.now().timestamp() * 1000)
    team, identity = (
        Follower(
            source, view=view(state, boot), replica=settings.slot, internal=internal, clock=clock
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
    )
    sources = Sources(team, identity)
    running: list[Subscription] = []

    async def subscribe() -> None:
        subscription = await bus.subscribe(AUTHZ, handler(sources), on_resync=sources.check_now)
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
