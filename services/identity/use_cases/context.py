"""The context of identity's use cases, made once in `app`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.adapters.dns_texts import Texts
from services.identity.adapters.issuers import Issuers
from services.identity.adapters.keyring import Keyring
from services.identity.adapters.network_places import NetworkPlaces
from services.identity.adapters.relying_party import RelyingParty
from services.identity.adapters.sealed_texts import SealedTexts
from services.identity.adapters.sealing import FactorSealer
from services.identity.adapters.turns import Turns
from services.identity.domain.passkeys import PasskeyChallenge
from services.identity.domain.rate_limits import RefusedSenders
from services.identity.domain.sso_continuation import SsoContinuation
from services.identity.domain.sso_sign_in import SsoSignIn
from services.identity.settings import Settings
from services.identity.store import Store
from shared.auth.access_tokens import TokenVerifier
from shared.clock import Clock
from shared.http.checker import TokenChecker
from shared.http.client import InternalClient
from shared.journal import JournalWriter, Snapshot
from shared.links import Links
from shared.sealed_secrets import SealedSecrets
from shared.timeouts import Timeouts


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """Everything that identity's handlers and subscribers work with.

    `pause` waits for some seconds.
    """

    settings: Settings
    clock: Clock
    pause: Callable[[float], Awaitable[None]]
    store: Store
    snapshot: Snapshot
    journal: JournalWriter
    refused_senders: RefusedSenders
    mail_turns: Turns
    hasher: Argon2Hasher
    keyring: Keyring
    issuers: Issuers
    sealed_sign_ins: SealedTexts[SsoSignIn]
    sealed_continuations: SealedTexts[SsoContinuation]
    access_tokens: TokenVerifier
    sealer: FactorSealer
    relying_party: RelyingParty
    sealed_challenges: SealedTexts[PasskeyChallenge]
    sealed_secrets: SealedSecrets
    texts: Texts
    sign_up_links: Links
    reset_links: Links
    refresh_tokens: Links
    address_links: Links
    undo_links: Links
    take_back_links: Links
    places: NetworkPlaces
    internal: InternalClient
    checker: TokenChecker
    timeouts: Timeouts

    async def pad_response_time(self, started: float, *, at_least: float = 0) -> None:
        """Wait until a whole number of steps has passed since `started` (`Clock.boottime`).

        An address without a user takes less time than one with a user. The step hides the
        difference, which keeps the time of an answer from showing who has a user (`T9`). A step has
        `at_least` these seconds.
        """
        step = max(self.settings.answer_step_seconds, at_least)
        await self.pause(step - (self.clock.boottime() - started) % step)
