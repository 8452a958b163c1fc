"""A program that sends what is due of the streams of an audit log, and kills itself at a step.

What is due is in the database already. The program's clock is ahead by the given seconds.
"""

import asyncio
import json
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.audit.use_cases.stream_sender import StreamSender
from shared.elections import Election
from tests.faults.dying import Dying
from tests.services.audit.conftest import make_auditing
from tests.services.audit.test_checkpoint_delivery import Team

OFFICE = "streams"
BATCH_ANSWERED = "a batch answered, not noted"
TEST_ANSWERED = "a test answered, not noted"


class DyingPosts:
    """What makes the requests; each is two steps."""

    def __init__(self, inner: Any, dying: Dying) -> None:
        self._inner, self._dying = inner, dying

    async def post(self, url: str, body: bytes, *request: Any, **named: Any) -> Any:
        """Make a request."""
        is_test = json.loads(body.splitlines()[0])["type"] == "test"
        self._dying.reach("a test not sent" if is_test else "a batch not sent")
        attempt = await self._inner.post(url, body, *request, **named)
        self._dying.reach(TEST_ANSWERED if is_test else BATCH_ANSWERED)
        return attempt


async def main(mongo_url: str, database: str, ahead: str, step: str) -> None:
    """Send what is due, if this process is elected."""
    dying = Dying(int(step))
    auditing = await make_auditing(mongo_url, database)
    auditing.clock.ahead = timedelta(seconds=float(ahead))
    streams = auditing.ctx.streams
    posts: Any = DyingPosts(streams.posts, dying)
    team: Any = Team()
    ctx = replace(auditing.ctx, internal=team, streams=replace(streams, posts=posts))
    office = Election(auditing.database, OFFICE, holder=f"died {ahead}", clock=auditing.clock)
    sender = StreamSender(ctx, connections=8)
    dying.begin(mongo_url)
    if await office.won():
        await sender.look()
        await sender.settled()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
