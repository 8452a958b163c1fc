"""Types of resources for which a catalog has no permission: every check about them is denied."""

from collections.abc import Iterable

from rolecall import CompiledCatalog

MAX_TYPES = 50
"""How many types of resources an account is looked at for, and how many an answer names."""


def without_permissions(catalog: CompiledCatalog, types: Iterable[str]) -> tuple[str, ...]:
    """Those of these types of which the catalog has no permission, by name."""
    known = {permission.resource_type for permission in catalog.permissions.values()}
    return tuple(sorted(set(types) - known)[:MAX_TYPES])
