"""Ask a replica of another group what was asked here, in the name of the same caller."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)

from services.authz.domain.groups import GROUP_HEADER, AccountGroups, label_of
from shared import context
from shared.contracts.topology import Service
from shared.http.access import Internal
from shared.http.client import KEEP_ALIVE_SECONDS, MAX_CONNECTIONS, replica_seconds
from shared.http.replicas import Replica, Replicas
from shared.http.requests import REQUEST_ID_HEADER
from shared.http.routes import Call, Reply
from shared.http.streams import EVENT_STREAM, Stream
from shared.metrics import GROUP_CALLS, KNOWN_GROUPS, start_at_zero
from shared.problems import Stale
from shared.timeouts import Timeouts

HOPS_HEADER = "Rolecall-Hops"
"""How many replicas have sent the request on. A client that forges it gets 503 at most."""
MOST_HOPS = 2
"""While groups are added, a replica that does not know of them sends to one that does."""
ANSWERED, UNANSWERED = "answered", "unanswered"

_NOT_SENT_ON = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "te",
        "transfer-encoding",
        "upgrade",
        HOPS_HEADER.lower(),
    }
)
_ANSWERED_WITH = ("Retry-After", "WWW-Authenticate")

_log = logging.getLogger(__name__)


class GroupCalls:
    """The replicas of the other groups.

    `public` and `inside` are the addresses of each group's replicas, in the order of their numbers.
    The request goes on as it was sent, with its credential: the other replica authenticates the
    caller by itself.
    """

    def __init__(
        self,
        groups: AccountGroups,
        *,
        public: Sequence[Sequence[str]],
        inside: Sequence[Sequence[str]],
        timeouts: Timeouts,
    ) -> None:
        self._groups = groups
        self._public, self._inside = (
            Replicas({str(group): urls for group, urls in enumerate(many, 1)})
            for many in (public, inside)
        )
        self._timeouts = timeouts
        self._session: ClientSession | None = None
        others = set(range(1, groups.count + 1)) - {groups.number}
        KNOWN_GROUPS.labels(Service.AUTHZ).set(groups.count)
        start_at_zero(GROUP_CALLS, sorted(others), (ANSWERED, UNANSWERED))

    async def send_on(
        self, call: Call[Any, Any], group: int, *, body: bytes | None = None
    ) -> Reply:
        """Let the group answer the request; a `body` takes the place of the one that was sent.

        Raises:
            Stale: no replica of the group answered in time, or the request was sent on before by
                replicas that do not agree who holds the account.
        """
        hops = _hops(call)
        if hops >= MOST_HOPS:
            raise Stale
        headers = {**dict(_headers(call)), HOPS_HEADER: str(hops + 1)}
        reply = await self._tried(call, group, headers, call.raw if body is None else body)
        GROUP_CALLS.labels(group, UNANSWERED if reply is None else ANSWERED).inc()
        if reply is None:
            raise Stale
        return reply

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _tried(
        self, call: Call[Any, Any], group: int, headers: Mapping[str, str], body: bytes
    ) -> Reply | None:
        """The first answer that is not 503, or else the last one."""
        inside = isinstance(call.route.access, Internal)
        loop, seconds = asyncio.get_running_loop(), self._timeouts.internal_call
        deadline = loop.time() + seconds
        replicas = await (self._inside if inside else self._public).of(str(group), again=True)
        reply = None
        for place, replica in enumerate(replicas):
            others, left = len(replicas) - place - 1, deadline - loop.time()
            if left <= 0:
                break
            try:
                async with asyncio.timeout(replica_seconds(seconds, left=left, others=others)):
                    reply = await self._once(call, group, replica, headers, body)
            except (ClientError, OSError, TimeoutError) as problem:
                _log.info(
                    "A replica of another group does not answer: %r",
                    problem,
                    extra={"group": group, "replica": replica.url},
                )
                continue
            if reply.status != 503:
                return reply
        return reply

    async def _once(
        self,
        call: Call[Any, Any],
        group: int,
        replica: Replica,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply:
        response = await self._open_session().request(
            call.method,
            replica.url + call.target,
            data=body or None,
            headers=headers,
            allow_redirects=False,
            server_hostname=replica.name,
        )
        try:
            told = {GROUP_HEADER: label_of(group, self._groups.count), **dict(_told(response))}
            if response.content_type == EVENT_STREAM:
                pieces = _pieces(response)
                stream = Stream(pieces=pieces, stall_seconds=self._timeouts.stream_stall)
                return Reply(body=stream, status=response.status, headers=told)
            content = await response.read()
        except BaseException:
            response.close()
            raise
        return Reply(
            body=content or None,
            status=response.status,
            headers=told,
            content_type=response.headers.get("Content-Type", "application/json"),
        )

    def _open_session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None),
                trust_env=False,
            )
        return self._session


def _hops(call: Call[Any, Any]) -> int:
    sent = call.headers.get(HOPS_HEADER)
    if sent is None:
        return 0
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) == 1 else MOST_HOPS


def _headers(call: Call[Any, Any]) -> Iterator[tuple[str, str]]:
    """The headers of the request, apart from those of its connection; ids and trace are ours."""
    own = {REQUEST_ID_HEADER: context.request_id.get(), "traceparent": context.traceparent.get()}
    known = {name: value for name, value in own.items() if value is not None}
    left_out = _NOT_SENT_ON | {name.lower() for name in known}
    yield from (
        (name, value) for name, value in call.headers.items() if name.lower() not in left_out
    )
    yield from known.items()


def _told(response: ClientResponse) -> Iterator[tuple[str, str]]:
    return (
        (name, value)
        for name, value in response.headers.items()
        if name in _ANSWERED_WITH or name.startswith("Rolecall-")
    )


async def _pieces(response: ClientResponse) -> AsyncGenerator[bytes, None]:
    """What the other replica streams, as it comes; a cut ends the answer of this one, too."""
    try:
        async for piece in response.content.iter_any():
            yield piece
    except (ClientError, OSError) as problem:
        raise ConnectionResetError("the stream of another group was cut") from problem
    finally:
        response.close()
