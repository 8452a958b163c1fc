"""The locations of the console's pages."""

from collections.abc import Collection, Mapping

from deploy.gateway.buffering import STREAM
from deploy.gateway.limits import STRANGERS, STREAMS
from deploy.gateway.paths import path_match
from deploy.gateway.problems import LIMIT
from services.console.domain.places import HOME
from services.console.pages.rendering import STATIC_FILES
from services.console.routes import FEEDS, PAGES
from services.console.settings import NAME

PAGE_PATHS = tuple(sorted(row.path for row in PAGES))
"""The paths of the pages, whose errors are pages, too."""
SECRET_PATHS = frozenset(row.path for row in PAGES if row.secret_query)
DOWNLOAD_PATHS = frozenset(row.path for row in PAGES if row.downloads)
SILENT = "error_log /dev/null emerg;"
"""nginx would log the whole address of a request, and this one may have the token of a link."""


def start_page(upstreams: Collection[str]) -> str:
    """Where the bare address leads: to the console, if the gateway knows it."""
    return HOME if NAME in upstreams else "/docs"


def page_locations(upstreams: Collection[str], looked_up: Mapping[str, str]) -> str:
    """The locations, if the gateway knows the console.

    What a press asks of the API counts there for the same visitor, so these have one wide limit.
    What scripts follow has that of streams.
    """
    if NAME not in upstreams:
        return ""
    name = looked_up.get(NAME)
    begin = f"set $replicas {name}; " if name else ""
    to = "$replicas" if name else NAME
    paths = (*PAGE_PATHS, *(file.path for file in STATIC_FILES.values()))
    located = [(path, STRANGERS, _own(path)) for path in paths]
    located += [(feed.path, STREAMS, f"{STREAM} ") for feed in FEEDS]
    return "".join(
        f"    location {path_match(path)} {{ {begin}{own}"
        f"set {LIMIT} {limit.zone}; {limit.directives} proxy_pass http://{to}; }}\n"
        for path, limit, own in located
    )


def _own(path: str) -> str:
    if path in SECRET_PATHS:
        return f"{SILENT} "
    return f"{STREAM} " if path in DOWNLOAD_PATHS else ""
