"""What a failed request means to the customer who chose its address."""

from aiohttp import ClientConnectorDNSError, ClientConnectorError, ClientSSLError

from shared.http.name_lookups import NamesNotLookedUpError


def in_words(fault: Exception) -> str:
    """A sentence for people; the fault itself has names of this code and addresses."""
    match fault:
        case ClientConnectorDNSError(os_error=NamesNotLookedUpError()):
            return "Too many names wait for name servers that do not answer."
        case ClientConnectorDNSError():
            return "The name of the host leads to no address that may be used."
        case ClientSSLError():
            return "The host has no valid certificate for its name, or does not speak TLS."
        case ClientConnectorError():
            return "No connection to an address of the host came about."
        case _:
            return "The connection broke before the answer was complete."
