"""The map of a gateway's routes to permissions, and the route that a request matches.

A request is matched as it was sent. Nothing is decoded or normalised, because the upstream might
read the result in another way than Rolecall. What is not plain matches no route.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from rolecall.core.path_templates import SEGMENT, CoveredRoutes, segment_pattern
from rolecall.core.problems import CatalogError, Problem, did_you_mean
from rolecall.core.shape import shape_problems
from rolecall.core.source import located, parse
from rolecall.core.table import Name, PermissionName

_CLOSED = ConfigDict(extra="forbid")
MAX_ROUTES = 2_000

_DOTS = frozenset({".", ".."})


class ForwardAuthError(ValueError):
    """A file that is not a valid map of routes."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))


class Gateway(StrEnum):
    """The gateways whose requests are understood; each tells of the original one in its way."""

    NGINX = "nginx"
    TRAEFIK = "traefik"
    ENVOY = "envoy"


class Method(StrEnum):
    """The methods of requests that a route can match."""

    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    OPTIONS = "OPTIONS"


@dataclass(frozen=True, config=_CLOSED)
class ForwardRoute:
    """Requests that need one permission: their methods, host and path.

    `account`, `project` and `id` name the parameters of the path that hold them; by default those
    of these names, where the path has them. The permission's type is the resource's. Service
    clients with `scope` pass as well; without it they pass nowhere.
    """

    methods: Annotated[tuple[Method, ...], Field(min_length=1)]
    path: str
    permission: PermissionName
    host: str | None = None
    scope: Annotated[str, Field(min_length=1)] | None = None
    account: Name | None = None
    project: Name | None = None
    id: Name | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path's braces."""
        found = map(SEGMENT.fullmatch, self.path.split("/"))
        return tuple(match["parameter"] for match in found if match and match["parameter"])


@dataclass(frozen=True, config=_CLOSED)
class ForwardAuthFile:
    """The content of a file: whose requests are understood, and its routes in their order."""

    gateway: Gateway
    routes: Annotated[tuple[ForwardRoute, ...], Field(min_length=1, max_length=MAX_ROUTES)]


@dataclass(frozen=True)
class RouteMatch:
    """The route of a request, and what its path names."""

    route: ForwardRoute
    account: str | None = None
    project: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class PathForm:
    """The paths of a route: an expression, and what is compared before it because it is cheap."""

    expression: re.Pattern[str]
    segments: int
    literals: tuple[tuple[int, str], ...]

    def match(self, path: str, segments: list[str]) -> re.Match[str] | None:
        """The match of a path, which has these segments."""
        if len(segments) != self.segments:
            return None
        for at, text in self.literals:
            if segments[at] != text:
                return None
        return self.expression.fullmatch(path)


@dataclass(frozen=True)
class ForwardAuthMap:
    """The routes of a file, ready to be matched; the first that matches counts."""

    gateway: Gateway
    routes: tuple[ForwardRoute, ...]
    forms: tuple[PathForm, ...] = field(repr=False)

    def match(self, *, method: str, host: str | None, target: str) -> RouteMatch | None:
        """The route of a request; `target` is its path and query exactly as they were sent."""
        path = target.partition("?")[0]
        segments = path.split("/")
        for route, form in zip(self.routes, self.forms, strict=True):
            found = form.match(path, segments)
            if found is None or method not in route.methods:
                continue
            if _host_fits(route, host):
                return _match(route, found.groupdict())
        return None


def read_forward_auth(path: Path) -> ForwardAuthMap:
    """Read and validate a file; its problems name the lines.

    Raises:
        ForwardAuthError: the file is not a valid map of routes.
        OSError: the file cannot be read.
    """
    return parse_forward_auth(path.read_text(encoding="utf-8"))


def parse_forward_auth(text: str) -> ForwardAuthMap:
    """Validate the text of a file; its problems name the lines.

    Raises:
        ForwardAuthError: the text is not a valid map of routes.
    """
    try:
        content, lines = parse(text)
        try:
            written = _FILE.validate_python(content)
        except ValidationError as error:
            found = CatalogError(shape_problems(error, ForwardAuthFile))
            raise located(found, lines) from error
        problems = [*_problems(written.routes)]
        if problems:
            raise located(CatalogError(problems), lines)
    except CatalogError as error:
        raise ForwardAuthError(error.problems) from error
    forms = tuple(_form(route) for route in written.routes)
    return ForwardAuthMap(written.gateway, written.routes, forms)


_FILE = TypeAdapter(ForwardAuthFile)


def _problems(routes: tuple[ForwardRoute, ...]) -> Iterator[Problem]:
    earlier = CoveredRoutes()
    for at, route in enumerate(routes):
        faults = [*_path_faults(route)]
        yield from (Problem(("routes", at, "path"), fault) for fault in faults)
        if route.host is not None and route.host != route.host.lower():
            message = "A host is written in lower case, because hosts have no case. Correct it."
            yield Problem(("routes", at, "host"), message)
        if faults:
            continue
        for key in ("account", "project", "id"):
            named, known = getattr(route, key), route.parameters
            if named is not None and named not in known:
                message = (
                    f"The path has no parameter {named!r}. {did_you_mean(named, known)}"
                    "Name one of the path, or remove this key."
                )
                yield Problem(("routes", at, key), message)
        methods = frozenset(route.methods)
        before = earlier.covering(route.path, route.host, methods)
        if before is None:
            earlier.add(at, route.path, route.host, methods)
            continue
        message = (
            f"Route {before + 1} matches every request of this one first. Put this one"
            " before it, or remove it."
        )
        yield Problem(("routes", at), message)


def _path_faults(route: ForwardRoute) -> Iterator[str]:
    path = route.path
    if not path.startswith("/"):
        yield "A path begins with `/`."
        return
    for segment in path[1:].split("/") if path != "/" else ():
        if segment == "":
            yield "A path has no empty segments, and no `/` at its end. Remove one `/`."
        elif segment in _DOTS:
            yield f"The segment {segment!r} means another path. Write that path."
        elif SEGMENT.fullmatch(segment) is None:
            yield (
                f"The segment {segment!r} is neither a parameter such as {{project}} nor plain."
                " Plain text has letters, digits and `-._~:@`."
            )
    doubled = {name for name in route.parameters if route.parameters.count(name) > 1}
    for name in sorted(doubled):
        yield f"The parameter {{{name}}} appears twice. Give each one a name of its own."


def _form(route: ForwardRoute) -> PathForm:
    segments = route.path.split("/")
    return PathForm(
        re.compile("/".join(map(segment_pattern, segments)), re.ASCII),
        len(segments),
        tuple((at, text) for at, text in enumerate(segments) if "{" not in text),
    )


def _host_fits(route: ForwardRoute, host: str | None) -> bool:
    return route.host is None or (host is not None and host.lower() == route.host)


def _match(route: ForwardRoute, values: Mapping[str, str]) -> RouteMatch:
    return RouteMatch(
        route,
        account=values.get(route.account or "account"),
        project=values.get(route.project or "project"),
        id=values.get(route.id or "id"),
    )
