"""Which public path goes to which service?"""

import importlib
import re
from collections.abc import Mapping, Sequence

from shared.contracts.topology import Service
from shared.http.routes import Route

PARAMETER = re.compile(r"\{[a-z_]+\}")


class PathClaimedTwiceError(ValueError):
    """Two services claim one path: the gateway could not tell them apart."""


def public_routes() -> dict[str, Sequence[Route]]:
    """The public ROUTES of every service."""
    return {
        service: importlib.import_module(f"services.{service}.routes").ROUTES for service in Service
    }


def path_owners(routes: Mapping[str, Sequence[Route]]) -> dict[str, str]:
    """Path template → service; the names of parameters do not tell two paths apart.

    Raises:
        PathClaimedTwiceError: two services claim the same path.
    """
    owners: dict[str, tuple[str, str]] = {}
    for service, rows in routes.items():
        for route in rows:
            shape = PARAMETER.sub("{}", route.path)
            path, owner = owners.setdefault(shape, (route.path, service))
            if owner != service:
                raise PathClaimedTwiceError(f"{path} belongs to {owner}, {service} claims it too")
    return dict(sorted(owners.values()))
