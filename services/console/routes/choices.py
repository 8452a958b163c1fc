"""What pages offer to choose from, as far as the visitor may see it."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from services.console.adapters.api import ApiRefusal

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


def names_of(items: Sequence[Mapping[str, Any]], key: str = "id") -> dict[str, str]:
    """The names of a list's items by their ids."""
    return {one[key]: one["name"] or one.get("email", "") for one in items if one[key]}
