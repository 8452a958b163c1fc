"""The comparisons of conditions, compiled to functions.

A verdict is true or false, or `None` where the two sides cannot be compared: because a value is of
another type, or is not an address. Types are those of JSON: true is not 1, and "1" is not 1.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import TypeVar

from rolecall.core.condition_facts import Facts
from rolecall.core.condition_work import kind_of
from rolecall.core.property_paths import PropertyPath

Constant = str | int | float | bool
Verdict = Callable[[object, Facts], bool | None]
"""Compares the value at the path of a test, which is there."""

Network = IPv4Network | IPv6Network
_NetworkT = TypeVar("_NetworkT", IPv4Network, IPv6Network)
MAX_CONTAINED = 256
"""How many items a list of a request can have to be compared; a longer one satisfies no test."""
_MAPPED = IPv6Network("::ffff:0:0/96")


def verdict_of(operator: str, operand: object) -> Verdict:
    """Compile a comparison; the operand fits the operator."""
    if isinstance(operand, PropertyPath):
        return _same_as(operand)
    if operator == "equals":
        return _one_of((operand,))
    if operator == "contains":
        return _contains(operand)
    if not isinstance(operand, tuple):
        raise TypeError(f"The operator {operator} takes a list, not {operand!r}.")
    if operator == "in":
        return _one_of(operand)
    return _in_networks(tuple(map(network_of, operand)))


def network_of(text: str) -> Network:
    """Read a network; one of IPv4 addresses mapped into IPv6 is the IPv4 network.

    Raises:
        ValueError: it is not a network, or has bits behind its prefix.
    """
    found = ip_network(text)
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        mapped = found.network_address.ipv4_mapped
        return ip_network(f"{mapped}/{found.prefixlen - _MAPPED.prefixlen}")
    return found


def _one_of(constants: Sequence[object]) -> Verdict:
    kind, listed = kind_of(constants[0]), frozenset(constants)

    def verdict(value: object, _facts: Facts) -> bool | None:
        return value in listed if kind_of(value) == kind else None

    return verdict


def _contains(constant: object) -> Verdict:
    kind = kind_of(constant)

    def verdict(value: object, facts: Facts) -> bool | None:
        if not isinstance(value, list | tuple) or len(value) > MAX_CONTAINED:
            return None
        return facts.work.listed(value).has(constant, kind)

    return verdict


def _same_as(other: PropertyPath) -> Verdict:
    def verdict(value: object, facts: Facts) -> bool | None:
        compared, kind = other.value(facts), kind_of(value)
        return None if kind is None or kind_of(compared) != kind else value == compared

    return verdict


def _in_networks(networks: tuple[Network, ...]) -> Verdict:
    """Look an address up among the ranges of its version, which are sorted and do not overlap."""
    ranges = {
        4: _ranges([one for one in networks if isinstance(one, IPv4Network)]),
        6: _ranges([one for one in networks if isinstance(one, IPv6Network)]),
    }

    def verdict(value: object, facts: Facts) -> bool | None:
        address = facts.work.address(value) if isinstance(value, str) else None
        if address is None:
            return None
        starts, ends = ranges[address.version]
        before = bisect_right(starts, address.number)
        return before > 0 and address.number <= ends[before - 1]

    return verdict


def _ranges(networks: Sequence[_NetworkT]) -> tuple[list[int], list[int]]:
    """The first and last addresses of the networks, in order."""
    merged = [*collapse_addresses(networks)]
    return (
        [int(one.network_address) for one in merged],
        [int(one.broadcast_address) for one in merged],
    )
