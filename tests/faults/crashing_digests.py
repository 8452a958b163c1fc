"""A program that adds a mail to a digest and sends the digest, and kills itself at a step.

Other mails wait for the digest already. The program's clock is ahead by the given seconds.
"""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.notification.domain.digests import DIGEST_WAIT
from shared.contracts.facts import Row
from tests.faults.dying import Dying
from tests.services.notification.conftest import MovedClock, make_sending
from tests.services.notification.steps import send_what_is_due, take

TAKEN = "a digest taken by the server, not noted"


class DyingTransport:
    """Sends mails; each is two steps."""

    def __init__(self, inner: Any, dying: Dying) -> None:
        self._inner, self._dying = inner, dying

    async def send(self, mail: Any) -> Any:
        """Send a mail."""
        self._dying.reach("a digest made, not sent")
        result = await self._inner.send(mail)
        self._dying.reach(TAKEN)
        return result


async def main(
    mongo_url: str, database: str, smtp_port: str, ahead: str, row: str, step: str
) -> None:
    """Take the row of a fact, and send what is due after the time of a digest."""
    dying, clock = Dying(int(step)), MovedClock()
    clock.ahead, clock.goes = timedelta(seconds=float(ahead)), True
    sending = await make_sending(mongo_url, database, port=int(smtp_port), clock=clock)
    transport: Any = DyingTransport(sending.ctx.transport, dying)
    sending.ctx = replace(sending.ctx, transport=transport)
    dying.begin(mongo_url)
    await take(sending, Row.model_validate_json(row))
    clock.ahead += DIGEST_WAIT + timedelta(seconds=1)
    await send_what_is_due(sending)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
