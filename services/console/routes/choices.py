"""What pages offer to choose from, as far as the visitor may see it."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.routes.visits import Visit

MANY = {"limit": "200"}
"""The query of a list of which the page shows as much as the API gives at once."""
DENIED = 403


async def listed(asking: Awaitable[Any]) -> Sequence[Mapping[str, Any]]:
    """Return the items of a list; none if the visitor may not see it."""
    try:
        answer = await asking
    except ApiRefusal as refusal:
        if refusal.status != DENIED:
            raise
        return ()
    items: Sequence[Mapping[str, Any]] = answer["items"]
    return items


CatalogChoices = Sequence[tuple[str, str]]
"""Catalogs by their names, with their titles."""


async def catalogs_for(visit: Visit, account: Mapping[str, Any]) -> CatalogChoices:
    """The catalogs that the visitor can choose instead of the one of an account that they own."""
    if not account.get("owner"):
        return ()
    own, _, _ = str(account["catalog"]).partition("@")
    others = await listed(visit.call("GET", f"/v1/accounts/{account['id']}/catalogs", query=MANY))
    return [(one["name"], one["title"]) for one in others if one["name"] != own]


def chosen_catalog(visit: Visit) -> Mapping[str, str]:
    """The part of a body that names a catalog; nothing for the one that comes by itself."""
    chosen = visit.typed.get("catalog", "")
    return {"catalog": chosen} if chosen else {}


def names_of(items: Sequence[Mapping[str, Any]], key: str = "id") -> dict[str, str]:
    """The names of a list's items by their ids."""
    return {one[key]: one["name"] or one.get("email", "") for one in items if one[key]}
