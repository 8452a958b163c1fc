"""Guardrails in forms: the request that a form makes, and what a rule names."""

from collections.abc import Mapping, Sequence
from typing import Any

KINDS = ("minimum_holders", "only_roles", "never")
"""The kinds of rules; the first is the usual one."""
ROLE = "role."
"""The beginning of the names of boxes for roles."""


def permissions(catalog: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Each permission of a catalog's table, with its words."""
    return [
        (f"{entry['id']}:{level['id']}", f"{entry['title']}: {level['title']}")
        for section in catalog["sections"]
        for entry in section["entries"]
        for level in entry["levels"]
    ]


def new_rule(typed: Mapping[str, str]) -> dict[str, Any]:
    """The rule of a form."""
    kind, project = typed.get("kind", ""), typed.get("project", "")
    rule: dict[str, Any] = {"type": kind if kind in KINDS else KINDS[0]}
    match rule["type"]:
        case "minimum_holders":
            number = typed.get("minimum", "").strip()
            rule["minimum"] = int(number) if number.isdecimal() and len(number) < 6 else 0
            rule["role"] = typed.get("role", "")
        case "only_roles":
            rule["permission"] = typed.get("permission", "")
            rule["roles"] = [name.removeprefix(ROLE) for name in typed if name.startswith(ROLE)]
        case _:
            rule["permission"], rule["role"] = typed.get("permission", ""), typed.get("role", "")
    return {**rule, "project_id": project} if project else rule
