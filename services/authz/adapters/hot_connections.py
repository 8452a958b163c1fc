"""Connections that answer checks from the bytes as they arrive, and leave the rest to aiohttp.

One class serves both, so a client cannot tell which of them answered. The private attributes of
aiohttp that are used here are listed in `PRIVATE`, and a test holds them against its source.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from services.authz.adapters.hot_requests import HotRequest, HotRequests, Unread
from shared.runtime.connections import Connection, Server

PRIVATE = (
    "_close",
    "_force_close",
    "_keepalive_timeout",
    "_loop",
    "_next_keepalive_close_time",
    "_paused",
)

Answer = Callable[[HotRequest, asyncio.BaseTransport], bytes | None]
"""Answers a request of a connection at once; `None` if it must wait, or is not for this path."""


class HotConnection(Connection):
    """One connection. Once any byte of it went to aiohttp, the connection stays with aiohttp.

    Otherwise the two could disagree about where a request ends, and the rest of one would be taken
    for another (request smuggling).
    """

    def __init__(
        self,
        requests: HotRequests,
        answer: Answer,
        server: Server,
        *,
        rest_seconds: float,
        **settings: Any,
    ) -> None:
        """`rest_seconds` is how long the rest of a request is waited for here."""
        super().__init__(server, **settings)
        self._runner = server.runner
        self._requests = requests
        self._answer = answer
        self._rest_seconds = rest_seconds
        self._ordinary = False
        self._begun: list[bytes] = []
        self._waiting: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Answer the requests in these bytes, or give them to aiohttp."""
        if self._ordinary or self._close or self._force_close:
            super().data_received(data)
            return
        known = None if self._begun else self._requests.known(data)
        if known is None:
            self._receive(data)
        elif not self._answered(known):
            self._begun.append(data)
            self._hand_over()

    def _answered(self, request: HotRequest) -> bool:
        """Answer a request that arrived alone, which is the usual case."""
        transport = self._writable()
        answer = None if transport is None else self._answer(request, transport)
        if transport is None or answer is None:
            return False
        transport.write(answer)
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        return True

    def _receive(self, data: bytes) -> None:
        """Answer the requests in these bytes and in those before them, if they are whole."""
        begun = self._begun
        requests = self._requests.read(b"".join((*begun, data)) if begun else data)
        if isinstance(requests, Unread):
            self._keep(data, requests)
            return
        if begun:
            begun.clear()
            self._stop_waiting()
        transport = self._writable()
        answers: list[bytes] = []
        if transport is not None:
            for request in requests:
                answer = self._answer(request, transport)
                if answer is None:
                    break
                answers.append(answer)
            if answers:
                transport.write(answers[0] if len(answers) == 1 else b"".join(answers))
        if len(answers) < len(requests):
            self._begun = [left.raw for left in requests[len(answers) :]]
            self._hand_over()
            return
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout

    def _writable(self) -> asyncio.Transport | None:
        """Where answers are written; a client that reads none gets no more of them from here."""
        return None if self._paused or self._runner.draining else self.transport

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget what has begun."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _keep(self, data: bytes, unread: Unread) -> None:
        """Keep what has begun until the rest comes, or give it to aiohttp."""
        self._begun.append(data)
        if unread is Unread.OTHER:
            self._hand_over()
        elif self._waiting is None:
            self._waiting = self._loop.call_later(self._rest_seconds, self._hand_over)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _hand_over(self) -> None:
        """Give aiohttp the pieces as they arrived, and all that follows."""
        self._stop_waiting()
        self._ordinary = True
        begun, self._begun = self._begun, []
        for piece in begun:
            super().data_received(piece)
