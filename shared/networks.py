"""Addresses and networks: how they are read, which are private, what counts as one sender."""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PRIVATE_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "100.64.0.0/10",  # of carriers, and of pods in many clusters (RFC 6598)
    *("::1/128", "fc00::/7", "fe80::/10"),
)
"""The networks that no route of the internet leads to."""

SHORTEST_PREFIX_IPV4 = 8
SHORTEST_PREFIX_IPV6 = 16

_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 addresses as a socket of both families shows them (RFC 4291, 2.5.5.2)."""
_PRIVATE_IPV6 = [
    network for network in map(ip_network, PRIVATE_NETWORKS) if isinstance(network, IPv6Network)
]
_WITH_PORT = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)


@lru_cache(maxsize=512)
def read_address(text: str) -> Address | None:
    """The address that a text names, or None; those of the same proxies are read once.

    It may have a port (`192.0.2.1:4711`), brackets (`[2001:db8::1]`) or both, as in the headers of
    proxies. An IPv4 address in the form of IPv6 is read as IPv4.
    """
    parts = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(text if parts is None else parts[1] or parts[2])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether one of the networks has this address."""
    return any(address in network for network in networks)


def network_of(ip: str | None) -> str:
    """Return what counts as one sender: an IPv4 address, or the IPv6 /64 that one customer has."""
    if ip is None:
        return "unknown"
    address = read_address(ip)
    if address is None:
        return ip
    if isinstance(address, IPv6Address):
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


def check_trusted_networks(networks: Sequence[Network]) -> None:
    """Refuse networks that cover more senders than the proxies of one operator (`T18`).

    Raises:
        ValueError: a network is broader than /8 (IPv4) or /16 (IPv6, except private ones), or all
            together cover more than half of the addresses of a family.
    """
    for network in networks:
        if _is_too_broad(network):
            raise ValueError(
                f"{network} covers too many addresses, and their senders could then choose their "
                f"own address. Name the networks of your proxies, at most /{SHORTEST_PREFIX_IPV4} "
                f"(IPv4) or /{SHORTEST_PREFIX_IPV6} (IPv6)"
            )
    as_ipv4 = [found for network in networks if (found := _ipv4_of(network)) is not None]
    ipv6 = [network for network in networks if isinstance(network, IPv6Network)]
    ipv4_size = sum(network.num_addresses for network in collapse_addresses(as_ipv4))
    ipv6_size = sum(network.num_addresses for network in collapse_addresses(ipv6))
    if ipv4_size > 2**31 or ipv6_size > 2**127:
        raise ValueError(
            "the networks together cover most addresses, and their senders could then choose their "
            "own address. Name the networks of your proxies"
        )


def _is_too_broad(network: Network) -> bool:
    if isinstance(network, IPv4Network):
        return network.prefixlen < SHORTEST_PREFIX_IPV4
    if network.overlaps(_MAPPED):
        return network.prefixlen < _MAPPED.prefixlen + SHORTEST_PREFIX_IPV4
    is_private = any(network.subnet_of(each) for each in _PRIVATE_IPV6)
    return network.prefixlen < SHORTEST_PREFIX_IPV6 and not is_private


def _ipv4_of(network: Network) -> IPv4Network | None:
    if isinstance(network, IPv4Network):
        return network
    if not network.subnet_of(_MAPPED):
        return None
    address = int(network.network_address) & 0xFFFF_FFFF
    return IPv4Network((address, network.prefixlen - _MAPPED.prefixlen))
