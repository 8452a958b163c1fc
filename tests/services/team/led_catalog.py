"""A catalog with a role that manages members and projects, and the grants to try in it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from rolecall import Catalog, CompiledCatalog, load_catalog

HOUR = 3_600
WEEK = 7 * 24 * HOUR
"""An invitation's lifetime in this catalog."""


def catalog_with_a_lead() -> Catalog:
    """`standard` with a role that manages members and projects, and holds little else."""
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    roles = {role["id"]: role for role in content["roles"]}
    grants = roles["basic"]["grants"] | {"member": {"*": "all"}, "project": {"*": "all"}}
    lead = {"id": "lead", "title": "Lead", "grants": grants}
    return Catalog.from_mapping(content | {"name": "led", "roles": [*content["roles"], lead]})


CATALOG = CompiledCatalog(catalog_with_a_lead())
ROLES = ("admin", "lead", "developer", "basic")
GRANTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "look": {"instance": {"view": "all"}},
    "steer": {"project": {"manage": "all"}},
    "own": {"instance": {"write": "self"}},
    "work": {"instance": {"write": "all"}, "endpoint": {"write": "self"}},
    "everything": {"*": {"*": "all"}},
}
LASTING = st.sampled_from([None, 60, HOUR])
"""How many seconds an override lasts."""
