"""The addresses of a service's replicas, also where one name stands for several of them."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from yarl import URL

NAME_SECONDS = 1.0
"""How long the addresses of a name are used: a new container has a new address."""

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the addresses of a host name.

It raises `OSError` when there is none.
"""


class Replica(NamedTuple):
    """One replica: its base address, and the `Host` of the setting, which TLS verifies, too."""

    url: str
    host: str
    name: str


async def look_up(name: str) -> Sequence[str]:
    """Ask the system's resolver for all addresses of a name.

    A resolver that keeps answers for the name server's time would not do: Docker's is ten minutes.

    Raises:
        OSError: the name has no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Replicas:
    """The replicas of each service, by the addresses in the settings."""

    def __init__(self, urls: Mapping[str, Sequence[str]], *, look_up: LookUp = look_up) -> None:
        """Make it; `urls` have no path."""
        self._urls = {name: [URL(url) for url in many] for name, many in urls.items()}
        self._look_up = look_up
        self._known: dict[str, tuple[float, Sequence[str]]] = {}

    async def of(self, service: str, *, again: bool = False) -> list[Replica]:
        """The replicas in a stable order; `again` asks for the addresses of a name once more.

        A name without an address has no replica. One that cannot be looked up keeps its addresses.

        Raises:
            LookupError: the settings have no address of the service.
        """
        urls = self._urls.get(service)
        if not urls:
            raise LookupError(f"the configuration has no internal address of {service}")
        replicas = [replica for url in urls for replica in await self._behind(url, again=again)]
        return list(dict.fromkeys(replicas))

    async def _behind(self, url: URL, *, again: bool) -> list[Replica]:
        name = url.host or ""
        host = url.authority
        if _is_address(name):
            return [Replica(_base(url), host, name)]
        return [
            Replica(_base(url.with_host(address)), host, name)
            for address in await self._addresses(name, again=again)
        ]

    async def _addresses(self, name: str, *, again: bool) -> Sequence[str]:
        now = asyncio.get_running_loop().time()
        asked_at, addresses = self._known.get(name, (float("-inf"), ()))
        if not again and now - asked_at <= NAME_SECONDS:
            return addresses
        if addresses:
            self._known[name] = now, addresses  # for other calls meanwhile
        try:
            addresses = sorted(await self._look_up(name))
        except OSError:
            return addresses
        self._known[name] = now, addresses
        return addresses


def _base(url: URL) -> str:
    return str(url.origin())


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
