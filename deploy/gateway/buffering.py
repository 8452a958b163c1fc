"""The locations whose bodies or answers nginx does not keep until they are whole."""

from collections.abc import Mapping, Sequence

from shared.http.routes import Route

LARGE_BODY = "client_max_body_size {}; proxy_request_buffering off;"
"""Strangers would fill the gateway with large bodies. The service refuses them unread."""
STREAM = "proxy_buffering off;"
"""The service sends an event every few seconds, which is less than any timeout here. A file is read
as fast as the browser takes it, and is not kept here."""


def unbuffered(
    routes: Mapping[str, Sequence[Route]], body_limits: Mapping[str, int]
) -> dict[str, str]:
    """The directives by path template; `body_limits` has the paths that take large bodies."""
    streams = {row.path: STREAM for rows in routes.values() for row in rows if row.streams}
    return {path: LARGE_BODY.format(size) for path, size in body_limits.items()} | streams
