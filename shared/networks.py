"""What counts as one sender on the network."""

from ipaddress import IPv6Address, ip_address


def network_of(ip: str | None) -> str:
    """Return what counts as one sender: an IPv4 address, or the IPv6 /64 that one customer has."""
    if ip is None:
        return "unknown"
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
