"""The service that each public path belongs to."""

import importlib
import re
from collections.abc import Mapping, Sequence

from shared.contracts.topology import Service
from shared.http.routes import Route

PARAMETER = re.compile(r"\{[a-z_]+\}")


class PathClaimedTwiceError(ValueError):
    """Two services claim the same path, so the gateway could not choose between them."""


def path_match(path: str) -> str:
    """What nginx matches the path of a request with, after the word `location`."""
    if not PARAMETER.search(path):
        return f"= {path}"
    return f"~ {path_pattern(path)}"


def path_pattern(path: str) -> str:
    """The regular expression of a path with parameters."""
    pattern = "[^/]+".join(re.escape(part) for part in PARAMETER.split(path))
    return f"^{pattern}$".replace("\\-", "-")


def public_routes() -> dict[str, Sequence[Route]]:
    """The public ROUTES of every service."""
    return {
        service: importlib.import_module(f"services.{service}.routes").ROUTES for service in Service
    }


def path_owners(routes: Mapping[str, Sequence[Route]]) -> dict[str, str]:
    """Path template → service; two paths that differ only in parameter names are the same.

    Raises:
        PathClaimedTwiceError: two services claim the same path.
    """
    owners: dict[str, tuple[str, str]] = {}
    for service, rows in routes.items():
        for route in rows:
            shape = PARAMETER.sub("{}", route.path)
            path, owner = owners.setdefault(shape, (route.path, service))
            if owner != service:
                raise PathClaimedTwiceError(
                    f"The path {path} belongs to {owner}, but {service} claims it too."
                )
    return dict(sorted(owners.values()))
