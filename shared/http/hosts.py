"""The check of the name by which a listener of this machine is addressed (DNS rebinding).

A web page can make its own name stand for 127.0.0.1, and then read what listens there. Its requests
carry that name in `Host`. They are refused with 421: a gateway that asks whether a request may pass
takes a 403 for a denial.
"""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from shared.networks import read_address
from shared.problems import Refusal, RefusalKind

MAX_LOGGED = 100
"""The characters of a foreign host that are logged."""

_log = logging.getLogger(__name__)


class HostUnknown(Refusal):
    """The request names another host than this machine."""

    kind = RefusalKind.MISDIRECTED
    code = "host-unknown"
    detail = (
        "This listener does not serve the host that the request names. Send the header"
        " `Host: 127.0.0.1`."
    )


def names_this_machine(host: str) -> bool:
    """Whether the value of a `Host` header is `localhost` or an IP address, with or without a port.

    An address needs no name server, so no one can redirect it.
    """
    return host.partition(":")[0].lower() == "localhost" or read_address(host) is not None


@web.middleware
async def local_hosts_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse every request that names another host."""
    if not names_this_machine(request.host):
        _log.warning("foreign host refused", extra={"host": request.host[:MAX_LOGGED]})
        raise HostUnknown
    return await handler(request)
