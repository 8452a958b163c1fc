"""What every gateway does with each path, from the tables of routes: the rows of all generators."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from deploy.gateway.limits import STRANGERS, STREAMS, USERS, SenderLimit, sender_limits
from deploy.gateway.pages import DOWNLOAD_PATHS, PAGE_PATHS
from deploy.gateway.paths import PARAMETER, public_routes
from deploy.gateway.problems import MAX_BODY_BYTES, body_limits
from services.console.pages.rendering import STATIC_FILES
from services.console.routes import FEEDS
from services.console.settings import NAME as CONSOLE

NOT_REPEATED = frozenset({"POST", "PATCH"})
"""The methods that go to another replica only if no replica has received the request."""
DROPPED_FIELDS = (
    *("Forwarded", "X-Real-IP"),
    *("Proxy", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer"),
    "Rolecall-Request-ID",
)
"""Claims of a sender about itself, and fields that are for the gateway alone.

A gateway that cannot make an id as `REQUEST_ID_HEADER` has it leaves the field out. The service
makes one then.
"""
READ_SECONDS = 30
"""How long a sender may take for a whole request, where a gateway measures no pauses."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One path, with what the gateway does with its requests."""

    path: str
    upstream: str
    limit: SenderLimit
    streams: bool = False
    """Its answer, or its large body, is passed on bit by bit."""
    body_bytes: int = MAX_BODY_BYTES
    methods: frozenset[str] = frozenset()
    """The methods of its rows; none for what only shows pages."""


def gateway_rules(owners: Mapping[str, str], upstreams: Collection[str]) -> list[Rule]:
    """The rules of all paths of these owners, and of the console if it is an upstream.

    A path that no rule has does not exist for the gateway.
    """
    routes = public_routes()
    rows = [row for of_service in routes.values() for row in of_service]
    limits, large = sender_limits(routes), body_limits(rows)
    streams = {row.path for row in rows if row.streams}
    methods: dict[str, set[str]] = {}
    for row in rows:
        methods.setdefault(PARAMETER.sub("{}", row.path), set()).add(row.method)
    found = [
        Rule(
            path=path,
            upstream=upstream,
            limit=limits.get(PARAMETER.sub("{}", path), USERS),
            streams=path in streams or path in large,
            body_bytes=large.get(path, MAX_BODY_BYTES),
            methods=frozenset(methods.get(PARAMETER.sub("{}", path), ())),
        )
        for path, upstream in owners.items()
    ]
    return found + (_pages() if CONSOLE in upstreams else [])


def _pages() -> list[Rule]:
    paths = (*PAGE_PATHS, *(file.path for file in STATIC_FILES.values()))
    posts = frozenset({"GET", "POST"})
    found = [
        Rule(
            path=path,
            upstream=CONSOLE,
            limit=STRANGERS,
            streams=path in DOWNLOAD_PATHS,
            methods=posts,
        )
        for path in paths
    ]
    return found + [
        Rule(path=feed.path, upstream=CONSOLE, limit=STREAMS, streams=True) for feed in FEEDS
    ]
