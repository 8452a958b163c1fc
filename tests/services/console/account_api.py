"""Answers of the API about one account, for its pages."""

import json
from pathlib import Path
from typing import Any

from rolecall import Catalog, load_catalog, read_catalog
from rolecall.core.catalog import SHIPPED_CATALOGS

PRINT_SHOP = Path(__file__).parents[2] / "journeys" / "print-shop.yaml"
CATALOGS = {
    **{name: load_catalog(name) for name in SHIPPED_CATALOGS},
    "print-shop": read_catalog(PRINT_SHOP),
}
"""Those that come with the product, and one that a platform wrote itself."""


def catalog_answer(catalog: Catalog, *custom: dict[str, Any]) -> dict[str, Any]:
    """The catalog of an account as the API gives it, with custom roles."""
    content: dict[str, Any] = json.loads(json.dumps(catalog.to_mapping()))
    roles = [role_answer(**role) for role in content["roles"]]
    return {**content, "id": catalog.id, "roles": [*roles, *custom]}


def role_answer(
    *,
    id: str,  # noqa: A002 - as the API calls it
    title: str,
    grants: dict[str, Any],
    description: str = "",
    assignable: bool = True,
    built_in: bool = True,
) -> dict[str, Any]:
    """A role as the API gives it."""
    return {
        "id": id,
        "name": title,
        "description": description,
        "assignable": assignable,
        "built_in": built_in,
        "grants": grants,
        "created_at": None,
        "updated_at": None,
        "etag": f'"{id}-1"',
    }


def a_member(number: int, **changes: Any) -> dict[str, Any]:
    """A member of a preview, who gets another role."""
    gained = {"instance": {"view": scopes(None, "all"), "manage": scopes(None, "all")}}
    return {
        "user_id": f"usr_{number}",
        "name": f"Person {number}",
        "email": f"p{number}@example.com",
        "role": {"before": "viewer", "after": "operator"},
        "membership": {"before": "member", "after": "member"},
        "everywhere": {"gained": gained, "lost": {"secret": {"view": scopes("all", None)}}},
        "in_projects": [],
        **changes,
    }


def scopes(before: str | None, after: str | None) -> dict[str, str | None]:
    """The grant of a level before and after."""
    return {"before": before, "after": after}


def a_preview(*members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The preview of a change."""
    return {
        "items": list(members),
        "members_concerned": len(members),
        "memberships_ending": 0,
        "invitations": [],
        "invitations_concerned": 0,
        "violations": [],
        "etag": None,
        "preview_tag": '"seen1"',
        **changes,
    }
