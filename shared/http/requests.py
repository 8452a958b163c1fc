"""The origin of a request: its id, trace, client address and user agent."""

import re
from collections.abc import Sequence

from aiohttp import web
from multidict import CIMultiDictProxy

from shared.contracts.facts import RequestInfo
from shared.ids import new_id
from shared.networks import Network, is_within, read_address

MAX_USER_AGENT_CHARACTERS = 256

_REQUEST_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_FORWARDED_FOR = re.compile(r"(?:^|;)\s*for\s*=\s*\"?([^\s\";]*)", re.ASCII | re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def request_id_of(request: web.Request) -> str:
    """The sender's `X-Request-ID` if it is well formed, else a new id."""
    sent = request.headers.get("X-Request-ID")
    return sent if sent is not None and _REQUEST_ID.fullmatch(sent) else new_id("req")


def traceparent_of(request: web.Request) -> str | None:
    """The W3C trace context of the sender, if it is well formed."""
    sent = request.headers.get("traceparent")
    return sent if sent is not None and _TRACEPARENT.fullmatch(sent) else None


def info_of(
    request: web.Request, *, request_id: str, traceparent: str | None, ip: str | None
) -> RequestInfo:
    """The part of a request that its audit record keeps."""
    agent = request.headers.get("User-Agent")
    return RequestInfo(
        request_id=request_id,
        trace_id=None if traceparent is None else traceparent.split("-")[1],
        ip=ip,
        user_agent=None
        if agent is None
        else _UNPRINTABLE.sub("?", agent[:MAX_USER_AGENT_CHARACTERS]),
    )


def client_address(request: web.Request, *, proxies: Sequence[Network]) -> str | None:
    """The client's address (`T18`).

    What a proxy says counts only when the peer is one of `proxies`. The client is then the last
    address that is not a proxy.
    """
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple):
        return None
    address = read_address(str(peer[0]))
    if address is None or not proxies:
        return str(peer[0])
    hops = _hops(request.headers)
    while is_within(address, proxies) and hops:
        hop = read_address(hops.pop())
        if hop is None:
            break
        address = hop
    return str(address)


def _hops(headers: CIMultiDictProxy[str]) -> list[str]:
    """The senders that the proxies name, the nearest one last.

    `Forwarded` (RFC 7239) counts only without `X-Forwarded-For`: a proxy that sets one of them
    passes on what its client sent as the other.
    """
    if "X-Forwarded-For" in headers:
        hops = ",".join(headers.getall("X-Forwarded-For")).split(",")
        return [hop.strip() for hop in hops]
    elements = ",".join(headers.getall("Forwarded", [])).split(",")
    return [found[1] if (found := _FORWARDED_FOR.search(each)) else "" for each in elements]
