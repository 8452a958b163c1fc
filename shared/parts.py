"""The parts that every service has: clock, internal client, authenticator."""

from collections.abc import Mapping

from shared.auth.access_tokens import TokenVerifier
from shared.auth.authenticator import Authenticator, FindApiToken, Live
from shared.auth.internal_tokens import InternalVerifier
from shared.auth.key_sources import KeySource, RemoteKeys
from shared.bus import Bus
from shared.clock import Clock, SystemClock
from shared.contracts.calls.identity import KEY_SET
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.http.lanes import lane_limits
from shared.metrics import FORMER_KEY_USES, start_at_zero
from shared.row_verifier import RowVerifier
from shared.runtime.settings import StatelessSettings
from shared.runtime.supervisor import Loop
from shared.timeouts import Timeouts


class Parts:
    """The parts of every service: the clock, the internal client and the authenticator."""

    def __init__(
        self,
        service: Service,
        settings: StatelessSettings,
        *,
        bus: Bus,
        clock: Clock | None,
        timeouts: Timeouts,
    ) -> None:
        """Connect the parts; nothing runs yet."""
        self.service = service
        self.bus = bus
        self.clock = clock or SystemClock()
        self.timeouts = timeouts
        self.internal = InternalClient(
            service=service,
            key=settings.internal_key,
            urls=settings.internal_urls,
            clock=self.clock,
            timeouts=timeouts,
        )
        self.verifier = RowVerifier(settings.journal_keys, clock=self.clock)
        self.verifier.count_from_zero(service)
        self.lane_limits = lane_limits(settings.requests_at_once)
        self._settings = settings
        self._remote_keys: RemoteKeys | None = None

    def authenticator(
        self,
        *,
        keys: KeySource | None = None,
        live: Live | None = None,
        api_tokens: FindApiToken | None = None,
    ) -> Authenticator:
        """Make the authenticator; without `keys` it asks identity for the keys of access tokens."""
        if keys is None:
            keys = self._remote_keys = RemoteKeys(
                lambda: self.internal.call(KEY_SET, Service.IDENTITY), clock=self.clock
            )
        settings = self._settings
        uses = ["admin key", *(f"internal call of {name}" for name in settings.internal_keys)]
        start_at_zero(FORMER_KEY_USES, [self.service], uses)
        return Authenticator(
            tokens=TokenVerifier(issuer=settings.public_url, keys=keys, clock=self.clock),
            internal=InternalVerifier(
                service=self.service, keys=settings.internal_keys, clock=self.clock
            ),
            admin_key=settings.admin_key,
            live=live,
            api_tokens=api_tokens,
        )

    @property
    def tasks(self) -> Mapping[str, Loop]:
        """The loop that keeps the keys of access tokens, where they are identity's."""
        return {} if self._remote_keys is None else {"keys": self._remote_keys.run}

    def checks(self) -> Mapping[str, bool]:
        """Whether access tokens can be verified."""
        return {} if self._remote_keys is None else {"keys": self._remote_keys.known()}
