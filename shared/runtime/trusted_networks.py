"""The rule for networks of proxies whose word about a sender's address is believed (`T18`)."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

Network = IPv4Network | IPv6Network

SHORTEST_PREFIX_IPV4 = 8
SHORTEST_PREFIX_IPV6 = 16
_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 addresses as a socket of both families shows them (RFC 4291, 2.5.5.2)."""
_UNIQUE_LOCAL = IPv6Network("fc00::/7")


def check_trusted_networks(networks: Sequence[Network]) -> None:
    """Refuse networks that cover more senders than the proxies of one operator.

    Raises:
        ValueError: a network is broader than /8 (IPv4) or /16 (IPv6, except inside fc00::/7), or
            all together cover more than half of the addresses of a family.
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
    return network.prefixlen < SHORTEST_PREFIX_IPV6 and not network.subnet_of(_UNIQUE_LOCAL)


def _ipv4_of(network: Network) -> IPv4Network | None:
    if isinstance(network, IPv4Network):
        return network
    if not network.subnet_of(_MAPPED):
        return None
    address = int(network.network_address) & 0xFFFF_FFFF
    return IPv4Network((address, network.prefixlen - _MAPPED.prefixlen))
