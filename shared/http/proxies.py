"""The proxies in front of a service, and the client's address as they write it."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web
from multidict import CIMultiDictProxy

from shared.networks import Network, is_within, read_address


class ProxyHeader(StrEnum):
    """The headers in which a proxy can name its client."""

    X_FORWARDED_FOR = "X-Forwarded-For"
    FORWARDED = "Forwarded"


@dataclass(frozen=True)
class Proxies:
    """The networks of the trusted proxies, and the one header that they write.

    The other header is never read: a proxy passes it on as its client sent it.
    """

    networks: Sequence[Network] = ()
    header: ProxyHeader = ProxyHeader.X_FORWARDED_FOR

    def trust(self, request: web.Request) -> bool:
        """Whether the connection comes from a trusted proxy."""
        return self.trust_connection(request.transport)

    def trust_connection(self, transport: asyncio.BaseTransport | None) -> bool:
        """Whether the other end of a connection is a trusted proxy."""
        peer = _peer_of(transport)
        address = None if peer is None else read_address(peer)
        return address is not None and is_within(address, self.networks)

    def client_address(self, request: web.Request) -> str | None:
        """The client's address (`T18`).

        What a proxy says counts only when the peer is trusted. The client is then the last address
        that is not a proxy. An unknown hop ends the walk, and the address before it counts.
        """
        peer = _peer_of(request.transport)
        if peer is None:
            return None
        address = read_address(peer)
        if address is None or not self.networks:
            return peer
        hops = self._hops(request.headers)
        while is_within(address, self.networks) and hops:
            hop = read_address(hops.pop())
            if hop is None:
                break
            address = hop
        return str(address)

    def _hops(self, headers: CIMultiDictProxy[str]) -> list[str]:
        """The senders that the proxies name, the nearest one last."""
        fields = headers.getall(self.header, [])
        if self.header is ProxyHeader.FORWARDED:
            return [
                _sender(element) for field in fields for element in _split(field, separator=",")
            ]
        return [hop.strip() for field in fields for hop in field.split(",")]


NO_PROXIES = Proxies()


def _peer_of(transport: asyncio.BaseTransport | None) -> str | None:
    peer = transport.get_extra_info("peername") if transport else None
    return str(peer[0]) if isinstance(peer, tuple) else None


_CONTROLS = r"\x00-\x08\x0a-\x1f\x7f"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar's word
_PAIR = re.compile(
    rf'({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\{_CONTROLS}]|\\[^{_CONTROLS}])*)")', re.ASCII
)
"""A parameter of `Forwarded` (RFC 7239, 4): its name, and its value as a token or quoted."""
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|[,;]|[^",;]+', re.DOTALL)
"""A quoted string, which ends with the field if nothing closes it, a separator, or other text."""
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _split(text: str, *, separator: str) -> Iterator[str]:
    """The parts of a text between the separators that stand outside quoted strings."""
    part = ""
    for piece in _PIECE.findall(text):
        if piece == separator:
            yield part
            part = ""
        else:
            part += piece
    yield part


def _sender(element: str) -> str:
    """The value of `for` in an element of `Forwarded`; empty if the element is not valid."""
    values: dict[str, str] = {}
    for part in _split(element.strip(" \t"), separator=";"):
        if not (pair := part.strip(" \t")):
            continue  # the grammar allows empty ones
        parsed = _PAIR.fullmatch(pair)
        if parsed is None:
            return ""
        name, token, quoted = parsed.groups()
        if name.lower() in values:
            return ""
        values[name.lower()] = token or _ESCAPED.sub(r"\1", quoted)
    return values.get("for", "")
