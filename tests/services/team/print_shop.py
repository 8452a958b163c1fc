"""The catalog of a print shop, which no one at Rolecall wrote, and later versions of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rolecall import Catalog, CompiledCatalog, read_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = Path(__file__).parents[2] / "journeys" / "print-shop.yaml"
SHOP = CompiledCatalog(read_catalog(FILE))


def version(*changes: Callable[[dict[str, Any]], None]) -> CompiledCatalog:
    """The print shop's catalog with these changes of its content."""
    content = copy.deepcopy(SHOP.catalog.to_mapping())
    for change in changes:
        change(content)
    return CompiledCatalog(Catalog.from_mapping(content))


def entry(content: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """One entry of a content."""
    found: dict[str, Any] = next(
        one
        for section in content["sections"]
        for one in section["entries"]
        if one["id"] == entry_id
    )
    return found


def named(name: str) -> Callable[[dict[str, Any]], None]:
    """Another name: it is another catalog then."""

    def change(content: dict[str, Any]) -> None:
        content["name"] = name

    return change


def conversion(kind: str) -> Callable[[dict[str, Any]], None]:
    """Another way between personal accounts and teams."""

    def change(content: dict[str, Any]) -> None:
        content["policies"]["conversion"] = kind

    return change


def without_role(role_id: str) -> Callable[[dict[str, Any]], None]:
    """No such role."""

    def change(content: dict[str, Any]) -> None:
        content["roles"] = [role for role in content["roles"] if role["id"] != role_id]

    return change


def renamed_level(
    entry_id: str, old: str, new: str, **fields: Any
) -> Callable[[dict[str, Any]], None]:
    """The level has another id, in the roles, too; `fields` of it are different."""

    def change(content: dict[str, Any]) -> None:
        for level in entry(content, entry_id)["levels"]:
            level["includes"] = [new if one == old else one for one in level["includes"]]
            if level["id"] == old:
                level |= {"id": new, **fields}
        for role in content["roles"]:
            cells = role["grants"].get(entry_id, {})
            if old in cells:
                scope = cells.pop(old)
                cells[new] = scope if fields.get("offers_self", True) else "all"

    return change


def without(**features: bool) -> Callable[[dict[str, Any]], None]:
    """Without these parts of Rolecall."""

    def change(content: dict[str, Any]) -> None:
        content["policies"]["features"] |= features

    return change


def limited_to(members: int) -> Callable[[dict[str, Any]], None]:
    """With another member limit."""

    def change(content: dict[str, Any]) -> None:
        content["policies"]["member_limit"] = members

    return change
