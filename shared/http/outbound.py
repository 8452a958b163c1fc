"""Requests to addresses that a customer chose, which lead to the internet and nowhere else (`T26`).

The address of each connection is checked when it is made, after every look-up of its name. A name
that is looked up again therefore leads nowhere else. Redirects are not followed, and the time and
the size of an answer are bounded.
"""

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from aiohttp import (
    AddrInfoType,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver

from shared.http import strict_json
from shared.http.name_lookups import NameLookups, sent_for
from shared.http.outbound_faults import in_words
from shared.http.refusals import MalformedJson
from shared.networks import Network, is_within

MAX_ANSWER_BYTES = 256 * 1024
MAX_CONNECTIONS = 32
MAX_URL_LENGTH = 2048
BEGINNING_SECONDS = 1.0
"""The longest wait for the first bytes of a body whose status is known."""
_UNICAST_IPV6 = IPv6Network("2000::/3")
_NOT_ITSELF = (
    IPv6Network("2001::/23"),  # protocols of the IETF, also Teredo (RFC 4380)
    IPv6Network("2002::/16"),  # 6to4 (RFC 3056)
    IPv6Network("3fff::/20"),  # for documents (RFC 9637), which Python does not know yet
)
"""Unicast addresses that a router may turn into any IPv4 address, or that are nowhere."""
_OF_PROTOCOLS = (
    IPv4Network("192.0.0.0/24"),  # of the IETF (RFC 6890)
    IPv4Network("192.88.99.0/24"),  # relays of 6to4 (RFC 7526)
)
_LOCAL_NAMES = frozenset({"localhost"})


class OutboundError(Exception):
    """The request had no usable answer; the text tells why, without what the answer said."""


class AddressForbiddenError(OutboundError, OSError):
    """The address is not one of the internet."""


@dataclass(frozen=True, kw_only=True)
class OutboundAnswer:
    """An answer: its status, its body, and when it asks to be asked again."""

    status: int
    body: bytes
    retry_after: str | None = None

    def members(self) -> Mapping[str, Any]:
        """Return the members of the JSON object that the body is.

        Raises:
            OutboundError: it is something else.
        """
        try:
            members = strict_json.loads(self.body)
        except MalformedJson as fault:
            raise OutboundError("The answer is not JSON that every reader understands.") from fault
        if not isinstance(members, dict):
            raise OutboundError("The answer is not a JSON object.")
        return members


def leads_outside(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is of the internet, and stands for no other address.

    `is_global` alone is true for forms of IPv6 behind which any IPv4 address can be.
    """
    if isinstance(address, IPv4Address):
        usable = address.is_global and not address.is_multicast
        return usable and not is_within(address, _OF_PROTOCOLS)
    return (
        address in _UNICAST_IPV6
        and address.is_global
        and address.scope_id is None
        and not is_within(address, _NOT_ITSELF)
    )


def check_url(url: str, *, networks: Sequence[Network] = ()) -> str:
    """Check an address before it is stored or asked.

    It is `https`; or `http` at an address of this machine, if `networks` has that.

    Raises:
        ValueError: the message says what is wrong and what to do.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as fault:
        raise ValueError("This is not an address. Enter it as https://example.com.") from fault
    if len(url) > MAX_URL_LENGTH or not url.isascii() or any(sign <= " " for sign in url):
        raise ValueError(
            f"An address has at most {MAX_URL_LENGTH} characters of ASCII, and no spaces."
        )
    if not host or port == 0 or parts.username is not None or parts.fragment or "\\" in url:
        raise ValueError(
            "The address needs a host, and has no user name and no fragment. Enter it as"
            " https://example.com."
        )
    literal = _literal(host)
    if literal is None and "[" in parts.netloc:
        raise ValueError("The address between [ and ] is not one of IPv6.")
    if parts.scheme != "https" and not (
        parts.scheme == "http" and _is_this_machine(host, literal, networks)
    ):
        raise ValueError("The address must begin with https://.")
    if literal is not None and not _allowed(literal, networks):
        raise ValueError("The address must be one of the internet. Enter the name of its host.")
    return url


class Outbound:
    """Makes the requests. `networks` may be asked besides the internet: a company's own issuer.

    `resolver` looks names up; its answers are checked like every other address. Of one `sender`
    of requests only a few names are looked up at once.
    """

    def __init__(
        self,
        *,
        networks: Sequence[Network] = (),
        seconds: float = 5.0,
        max_bytes: int = MAX_ANSWER_BYTES,
        connections: int = MAX_CONNECTIONS,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._networks = tuple(networks)
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._connections = connections
        self._resolver = resolver or NameLookups()
        self._session: ClientSession | None = None

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> OutboundAnswer:
        """Get an address.

        Raises:
            OutboundError: there is no usable answer.
        """
        return await self._request("GET", url, headers=headers)

    async def post_form(
        self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None
    ) -> OutboundAnswer:
        """Post a form.

        Raises:
            OutboundError: there is no usable answer.
        """
        return await self._request("POST", url, headers=headers, data=dict(form))

    async def post(
        self, url: str, content: bytes, *, headers: Mapping[str, str], keeps: int, sender: str
    ) -> OutboundAnswer:
        """Post these bytes for a sender, such as an account.

        Of the answer's body the first `keeps` bytes are read, as they came.

        Raises:
            OutboundError: there is no answer.
        """
        with sent_for(sender):
            return await self._request("POST", url, headers=headers, keeps=keeps, data=content)

    async def close(self) -> None:
        """Close the connections; the next request opens others."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        keeps: int | None = None,
        **content: Any,
    ) -> OutboundAnswer:
        try:
            check_url(url, networks=self._networks)
        except ValueError as fault:
            raise AddressForbiddenError(str(fault)) from fault
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._open().request(
                    method, url, headers=headers, allow_redirects=False, **content
                ) as response,
            ):
                body = (
                    await self._body(response)
                    if keeps is None
                    else await self._beginning(response, keeps)
                )
                later = response.headers.get("Retry-After")
                return OutboundAnswer(status=response.status, body=body, retry_after=later)
        except TimeoutError as fault:
            raise OutboundError("The answer did not come in time.") from fault
        except (ClientError, OSError, ValueError) as fault:
            raise OutboundError(in_words(fault)) from fault

    async def _body(self, response: ClientResponse) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise OutboundError("The answer is compressed.")
        body = b""
        async for part in response.content.iter_any():
            body += part
            if len(body) > self._max_bytes:
                raise OutboundError(f"The answer has more than {self._max_bytes} bytes.")
        return body

    async def _beginning(self, response: ClientResponse, size: int) -> bytes:
        """The first bytes of the body, or those that came before it broke off or stalled."""
        body = b""
        with contextlib.suppress(ClientError, TimeoutError):
            async with asyncio.timeout(BEGINNING_SECONDS):
                async for part in response.content.iter_any():
                    body += part
                    if len(body) >= size:
                        break
        return body[:size]

    def _open(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(
                    limit=self._connections,
                    resolver=self._resolver,
                    socket_factory=self._socket,
                    use_dns_cache=False,
                    force_close=True,
                ),
                timeout=ClientTimeout(total=self._seconds),
                cookie_jar=DummyCookieJar(),
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                auto_decompress=False,
            )
        return self._session

    def _socket(self, found: AddrInfoType) -> socket.socket:
        """Make the socket of a connection, which leads to exactly this address."""
        family, kind, protocol, _, place = found
        address = _literal(str(place[0]))
        if address is None or not _allowed(address, self._networks):
            raise AddressForbiddenError("The address is not one of the internet.")
        return socket.socket(family, kind, protocol)


def _allowed(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return leads_outside(address) or is_within(address, networks)


def _is_this_machine(
    host: str, literal: IPv4Address | IPv6Address | None, networks: Sequence[Network]
) -> bool:
    if literal is None:
        return host in _LOCAL_NAMES and any(network.is_loopback for network in networks)
    return literal.is_loopback and is_within(literal, networks)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is, also in the short and octal forms that resolvers read."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host)) if host[:1].isdigit() else None
    except OSError:
        return None
