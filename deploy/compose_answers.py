"""Whether the gateway of a composition answers, asked from the machine that runs it."""

import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from deploy.compose_tls import LOOPBACK, PublishedTls

ANSWER_SECONDS = 5
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, not listened at


def answers(path: str, *, listen_address: str, port: int, tls: PublishedTls | None) -> bool:
    """Whether a path of the gateway that is published there is answered, but by no server error."""
    connection = connection_to(listen_address, port, tls)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def connection_to(listen_address: str, port: int, tls: PublishedTls | None) -> HTTPConnection:
    """A connection to the gateway that is published there; `port` is the one without TLS.

    Its certificate is for another name than this address, so it is not verified.
    """
    host = LOOPBACK if listen_address in EVERYWHERE else listen_address
    if tls is None:
        return HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, tls.port, timeout=ANSWER_SECONDS, context=context)
