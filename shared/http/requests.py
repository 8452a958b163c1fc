"""The origin of a request: its id, trace, client address and user agent."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

from shared.contracts.facts import RequestInfo
from shared.ids import new_id

Network = IPv4Network | IPv6Network
MAX_USER_AGENT_CHARACTERS = 256

_REQUEST_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
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

    `X-Forwarded-For` counts only when the peer is one of `proxies`. The client is then the last
    address of it that is not a proxy.
    """
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple):
        return None
    address = str(peer[0])
    if not proxies:
        return address
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    while _is_proxy(address, proxies) and hops:
        hop = _address(hops.pop().strip())
        if hop is None:
            break
        address = str(hop)
    return address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_proxy(text: str, proxies: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in proxies)
