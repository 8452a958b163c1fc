"""The loop that reads the policy stream, and reads it again when it ends."""

import asyncio
import logging
import random
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp

from rolecall.aio.credentials import ClientToken
from rolecall.aio.errors import ClientRefusedError, NoAnswerError, RequestRefusedError
from rolecall.aio.event_stream import EventReader
from rolecall.aio.groups import GROUP_HEADER, DividedError, groups_told
from rolecall.aio.mirror import Mirror, StreamBrokenError, StreamEndedError
from rolecall.aio.refusals import undecided
from rolecall.aio.transport import Transport
from rolecall.client.evaluations import UndecidedError
from rolecall.client.transport import HttpAnswer

STREAM_PATH = "/v1/authz/policy-stream"
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
CLIENT_CHANGED = "client-changed"
"""The end of a stream whose client may read other accounts now, or none."""
DIVIDED_STATUS = 409
"""The refusal `group-needed` of a stream; no other one names the groups."""
NO_LEASE_SECONDS = 10.0
REFUSALS_THAT_LAST = 2
"""A first one may be of a token whose key was replaced; the next attempt takes a new one."""
SILENCE_SECONDS = 3.0
"""After this time without a byte the stream is read from another connection."""

_log = logging.getLogger(__name__)


class PolicyFollower:
    """Keeps a mirror of the accounts that the client may read."""

    def __init__(
        self,
        transport: Transport,
        credentials: ClientToken,
        *,
        account_id: str | None,
        timeout: float,
        clock: Callable[[], float],
        group: int = 1,
        groups: int = 1,
    ) -> None:
        """Make it; of several `groups` of replicas it follows the accounts of one."""
        self.mirror = Mirror(groups=groups)
        self._transport = transport
        self._credentials = credentials
        asked = {"account": account_id, "group": group if groups > 1 else None}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        self._path = f"{STREAM_PATH}?{query}" if query else STREAM_PATH
        self._group = {GROUP_HEADER: f"{group}/{groups}"} if groups > 1 else {}
        self._timeout = timeout
        self._clock = clock
        self._settled = asyncio.Event()
        """There is a state with a lease, or a refusal that lasts."""
        self._refusal: UndecidedError | DividedError | None = None
        self._refused_in_a_row = 0
        self._refused: str | None = None
        """A token that Rolecall did not accept."""

    async def usable(self) -> None:
        """Wait until there is a state with a lease.

        Raises:
            ClientRefusedError, RequestRefusedError: Rolecall has refused the stream several times.
            DividedError: this stream is followed no more.
        """
        await self._settled.wait()
        if self._refusal is not None:
            raise self._refusal

    async def run(self) -> None:
        """Follow the stream; never ends.

        Raises:
            DividedError: it does not tell what it should: there is another number of groups.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = self._clock()
            try:
                await self._follow()
            except StreamEndedError as ended:
                if str(ended) == CLIENT_CHANGED:
                    self.mirror.dropped()
                _log.info("Rolecall ended the policy stream (%s).", ended)
            except StreamBrokenError as broken:
                _log.warning("%s. It is read from its start.", broken)
            except (RequestRefusedError, ClientRefusedError) as refused:
                # What this client was told may not be its to read any more.
                self.mirror.dropped()
                self._refused_in_a_row += 1
                if self._refused_in_a_row == REFUSALS_THAT_LAST:
                    self._refusal = refused
                    self._settled.set()
                _log.error("The policy stream is refused: %s", refused)
            except UndecidedError as error:
                _log.info("The policy stream is away: %s", error)
            except DividedError as divided:
                self.mirror.dropped()
                self._refusal = divided
                self._settled.set()
                raise
            if self._clock() - began > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _follow(self) -> None:
        """Read one stream until its end.

        Raises:
            StreamEndedError, StreamBrokenError, UndecidedError, DividedError: always one of them.
        """
        until = asyncio.get_running_loop().time() + self._timeout
        token = await self._credentials.token(until=until, refused=self._refused)
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        headers |= self._group
        if self.mirror.last_event_id is not None:
            headers["Last-Event-ID"] = self.mirror.last_event_id
        asked_at = self._clock()
        async with self._transport.stream(
            self._path, headers=headers, connect_seconds=self._timeout
        ) as response:
            if response.status != 200 or response.content_type != "text/event-stream":
                groups = groups_told(response.headers)
                if response.status == DIVIDED_STATUS and groups is not None:
                    raise DividedError(groups)
                # The signing keys may have changed, so the next attempt takes a new token.
                self._refused = token if response.status == 401 else None
                raise undecided(HttpAnswer(response.status, None), response.headers)
            self.mirror.opened()
            reader = EventReader()
            while True:
                piece = await _piece(response.content)
                for event in reader.feed(piece):
                    for _ in self.mirror.take(event, asked_at=asked_at, now=self._clock()):
                        await asyncio.sleep(0)
                self._look_at_lease(asked_at)

    def _look_at_lease(self, asked_at: float) -> None:
        now, until = self._clock(), self.mirror.lease.until
        if now < until:
            self._refusal, self._refused_in_a_row = None, 0
            self._settled.set()
        elif self.mirror.complete and now - max(asked_at, until) > NO_LEASE_SECONDS:
            raise NoAnswerError("the policy stream grants no lease that lasts")


async def _piece(content: aiohttp.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            piece = await content.readany()
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise NoAnswerError(f"the policy stream was cut: {error!r}") from error
    if not piece:
        raise NoAnswerError("the policy stream was cut")
    return piece
