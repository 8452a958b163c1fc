"""The addresses of receivers, as they are checked before they are stored."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from shared.http.outbound import check_url
from shared.networks import Network

HTTPS_PORT = 443
FIRST_FREE_PORT = 1024


def check_receiver_url(url: str, *, networks: Sequence[Network]) -> None:
    """Refuse an address that is not one of the internet or of these networks, or has a bad port.

    Raises:
        ValueError: the message says what is wrong and what to do.
    """
    check_url(url, networks=networks)
    check_port(url)


def check_port(url: str) -> None:
    """Refuse a port below 1024, except that of HTTPS: another service may listen there (`T26`).

    Raises:
        ValueError: the message says what is wrong and what to do.
    """
    port = urlsplit(url).port
    if port is not None and port != HTTPS_PORT and port < FIRST_FREE_PORT:
        raise ValueError(f"The port must be {HTTPS_PORT}, or {FIRST_FREE_PORT} or above.")
