"""The groups of replicas of authz: a client that knows the group of its account is led there."""

import re
from collections.abc import Collection

from services.authz.domain.groups import GROUP_HEADER
from shared.contracts.topology import Service

GROUP = "$authz_group"
"""The variable of nginx with the upstream of a request to authz."""
_UPSTREAM = re.compile(rf"{Service.AUTHZ}-(\d+)")


def upstream_of_group(group: int) -> str:
    """The upstream of a group's replicas; the first one has the name of the service."""
    return Service.AUTHZ if group == 1 else f"{Service.AUTHZ}-{group}"


def group_map(upstreams: Collection[str]) -> str:
    """The directive that leads to a group; empty where the upstreams have one.

    A request that names no group, or one that does not exist, goes to the first one: any replica
    sends it on to the group of its account.
    """
    known = sorted(int(found[1]) for name in upstreams if (found := _UPSTREAM.fullmatch(name)))
    if not known:
        return ""
    field = GROUP_HEADER.lower().replace("-", "_")
    lines = "".join(f'\n    "~^{group}(?:/|$)" {upstream_of_group(group)};' for group in known)
    return f"  map $http_{field} {GROUP} {{\n    default {Service.AUTHZ};{lines}\n  }}\n"
