"""What does every use case of identity work with?"""

import asyncio
from dataclasses import dataclass

from services.identity.passwords import Passwords
from services.identity.settings import Settings
from services.identity.signing_keys import Keyring
from services.identity.store import Store
from shared.clock import Clock
from shared.http import Checker
from shared.http.client import InternalClient
from shared.journal import Journal
from shared.links import Links


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """Handed to every handler and subscriber."""

    settings: Settings
    clock: Clock
    store: Store
    journal: Journal
    passwords: Passwords
    keyring: Keyring
    verification_links: Links
    refresh_tokens: Links
    internal: InternalClient
    checker: Checker

    async def leave_evenly(self, started: float) -> None:
        """Wait until a whole number of steps has passed since `started` (`Clock.boottime`).

        What an address without a user costs less than one with a user is hidden below the step,
        so that the time of an answer tells nothing (`T9`).
        """
        step = self.settings.answer_step_seconds
        await asyncio.sleep(step - (self.clock.boottime() - started) % step)
