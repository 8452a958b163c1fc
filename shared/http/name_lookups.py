"""Look-ups of host names that other people chose, apart from everything else that a process does.

A look-up by the system cannot be ended: a thread waits until the name servers answer, which may be
half a minute. So each has a thread of its own, their number is bounded, and those of one sender
are few: its slow names do not hold up the names of others.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from threading import Thread
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

MAX_LOOKUPS = 64
"""The look-ups of a process at the same time, of all senders."""
MAX_LOOKUPS_OF_SENDER = 4

_sender: ContextVar[str | None] = ContextVar("sender of a request to the outside", default=None)

SystemLookup = Callable[..., list[tuple[Any, ...]]]
"""`socket.getaddrinfo`."""


class NamesNotLookedUpError(OSError):
    """Too many look-ups wait for name servers."""


@contextlib.contextmanager
def sent_for(sender: str | None) -> Iterator[None]:
    """Count the look-ups of this context to the sender, such as an account."""
    token = _sender.set(sender)
    try:
        yield
    finally:
        _sender.reset(token)


class NameLookups(AbstractResolver):
    """Looks names up by the system, each in a thread of its own. A look-up counts to its end."""

    def __init__(
        self,
        *,
        most: int = MAX_LOOKUPS,
        most_of_sender: int = MAX_LOOKUPS_OF_SENDER,
        look_up: SystemLookup = socket.getaddrinfo,
    ) -> None:
        self._most = most
        self._most_of_sender = most_of_sender
        self._look_up = look_up
        self._running: Counter[str] = Counter()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host.

        Raises:
            OSError: there are none, or too many look-ups wait.
        """
        sender = _sender.get() or host
        if self._running[sender] >= self._most_of_sender or self._running.total() >= self._most:
            raise NamesNotLookedUpError("Too many names wait to be looked up.")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[tuple[Any, ...]]] = loop.create_future()

        def end(addresses: list[tuple[Any, ...]], fault: OSError | None) -> None:
            self._running -= Counter([sender])
            if found.done():
                return
            if fault is None:
                found.set_result(addresses)
            else:
                found.set_exception(fault)

        def run() -> None:
            addresses: list[tuple[Any, ...]] = []
            failed: OSError | None = None
            try:
                addresses = self._look_up(
                    host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
                )
            except OSError as fault:
                failed = fault
            except UnicodeError:
                failed = socket.gaierror(socket.EAI_NONAME, "The name cannot exist.")
            with contextlib.suppress(RuntimeError):  # the process ends, and its loop is closed
                loop.call_soon_threadsafe(end, addresses, failed)

        self._running[sender] += 1
        # It keeps no process from ending: an executor's thread would.
        Thread(target=run, name="name-lookup", daemon=True).start()
        return [_result(host, port, *each) for each in await found]

    async def close(self) -> None:
        """Nothing is kept open."""


def _result(host: str, port: int, family: int, kind: int, proto: int, name: str, place: Any) -> Any:
    """An address as aiohttp takes it; its connection looks nothing up again."""
    return ResolveResult(
        hostname=host,
        host=str(place[0]),
        port=port,
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
