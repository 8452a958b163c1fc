"""The variables of the environment that `make up` reads."""

import os
from ipaddress import ip_network

from shared.networks import check_trusted_networks

MAX_PORT = 65535
MAX_LIMITS_FACTOR = 1000


def parse_networks(text: str) -> list[str]:
    """The networks or addresses of a list that is separated by commas or blanks.

    Raises:
        SystemExit: an item is not a network, or they cover too many addresses (`T18`).
    """
    try:
        found = [ip_network(word) for word in text.replace(",", " ").split()]
        check_trusted_networks(found)
    except ValueError as problem:
        raise SystemExit(f"TRUSTED_PROXIES is not valid: {problem}.") from problem
    return [str(network) for network in found]


def port_from_environment(variable: str, default: int) -> int:
    """The port that an environment variable names, 1 to 65535.

    Raises:
        SystemExit: the value is not a port; the message names the variable.
    """
    return _number(variable, default, most=MAX_PORT, what="a port")


def limits_factor_from_environment() -> int:
    """The `LIMITS_FACTOR` of the environment, 1 to 1000.

    Raises:
        SystemExit: the value is not such a number.
    """
    return _number("LIMITS_FACTOR", 1, most=MAX_LIMITS_FACTOR, what="a factor")


def _number(variable: str, default: int, *, most: int, what: str) -> int:
    text = os.environ.get(variable, "").strip() or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise SystemExit(f"{variable} is not valid: {text!r} is not {what} (1 to {most}).")
    return int(text)
