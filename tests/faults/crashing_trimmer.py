"""A program that trims a journal for one round, and kills itself at one of its steps.

The journal is there already, and what its consumers have confirmed at the given moment.
"""

import asyncio
import sys
from datetime import datetime

from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.journal.relay import Relay
from shared.mongo import connect
from tests.faults.dying import Dying
from tests.patience import PATIENT
from tests.shared.journal.trim_site import PAST, TrimSite


async def main(mongo_url: str, database: str, moment: str, step: str) -> None:
    """Make a round."""
    dying = Dying(int(step))
    client = connect(mongo_url, app_name="crashing-trimmer", timeouts=PATIENT)
    bus = LocalBus()
    relay = Relay(client[database], bus, holder="trimmer", clock=SystemClock())
    site = TrimSite(client, client[database], relay, past=PAST)
    site.clock.moment = datetime.fromisoformat(moment)
    await site.journal.start()
    await site.restores.start()
    dying.begin(mongo_url)
    await site.trimmer(holder=step).round()
    await bus.close()
    client.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
