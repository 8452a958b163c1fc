"""The operator's file of networks and places: `203.0.113.0/24,Vienna` on each line."""

import csv
from ipaddress import ip_network
from pathlib import Path

from shared.networks import Network, read_address

MAX_PLACE_LENGTH = 80


class PlacesUnreadable(Exception):  # noqa: N818 - it names what was found
    """The file is not there, or a line of it does not fit."""


class NetworkPlaces:
    """Names the place of a network; without a file there are no names."""

    def __init__(self, places: dict[Network, str] | None = None) -> None:
        self._places = places or {}
        self._lengths = sorted({(net.version, net.prefixlen) for net in self._places}, reverse=True)

    def place_of(self, network: str | None) -> str | None:
        """Give the place of the smallest known network around this one."""
        address = read_address((network or "").partition("/")[0])
        if address is None:
            return None
        for version, length in self._lengths:
            if version == address.version:
                place = self._places.get(ip_network((address, length), strict=False))
                if place is not None:
                    return place
        return None


def read_places(path: str) -> NetworkPlaces:
    """Read the file; an empty path means that there is none.

    Raises:
        PlacesUnreadable: with the line and what is wrong with it.
    """
    if not path:
        return NetworkPlaces()
    try:
        with Path(path).open(newline="", encoding="utf-8") as lines:
            return NetworkPlaces(dict(_row(row, at) for at, row in enumerate(csv.reader(lines), 1)))
    except (OSError, UnicodeDecodeError) as fault:
        raise PlacesUnreadable(f"cannot be read: {fault}") from fault


def _row(row: list[str], at: int) -> tuple[Network, str]:
    form = "Write a network, a comma and a place of at most 80 characters."
    try:
        network, place = ip_network(row[0].strip()), row[1].strip()
    except (IndexError, ValueError) as fault:
        raise PlacesUnreadable(f"line {at}: {fault}. {form}") from fault
    if len(row) != 2 or not 1 <= len(place) <= MAX_PLACE_LENGTH or not place.isprintable():
        raise PlacesUnreadable(f"line {at}: the place does not fit. {form}")
    return network, place
