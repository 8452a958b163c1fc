"""The pages of the roles: the list beside each other, one role, and its deletion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.grant_texts import EntryText, of_grants
from services.console.domain.impacts import read_impact
from services.console.domain.permission_tables import PermissionTable
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import (
    project_names,
    read_catalog,
    shown_state,
    state_to_show,
)
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.receipts import after_change, read_receipt
from services.console.routes.visits import Visit

SECTION = "roles"
IN_USE = "role-in-use"
COMPARED_ROLES = 12
"""The most that stand side by side: the work for a page grows with their cells."""


@dataclass(frozen=True, kw_only=True)
class RoleColumn:
    """A role, and what it gives by entry."""

    role: Mapping[str, Any]
    rows: Mapping[str, EntryText]


def column(table: PermissionTable, role: Mapping[str, Any]) -> RoleColumn:
    """The column of a role in the table."""
    return RoleColumn(role=role, rows=of_grants(table, role["grants"]))


async def show(visit: Visit, form: Form) -> Outcome:
    """List all roles, and show some side by side: those from the role that the address names."""
    frame: AccountFrame
    frame, table, receipt = await together(
        open_account(visit), read_catalog(visit), read_receipt(visit)
    )
    ids = [role["id"] for role in table.roles]
    cursor = visit.query.get("cursor", "")
    first = ids.index(cursor) if cursor in ids else 0
    after = first + COMPARED_ROLES
    return frame.shown(
        "account/roles",
        section=SECTION,
        form=form,
        table=table,
        columns=[column(table, role) for role in table.roles[first:after]],
        first=first == 0,
        following=ids[after] if after < len(ids) else None,
        receipt=receipt,
        editable=table.offers("custom_roles"),
    )


async def show_role(visit: Visit, form: Form) -> Outcome:
    """Show what one role gives."""
    frame: AccountFrame
    frame, table, receipt, role = await together(
        open_account(visit),
        read_catalog(visit),
        read_receipt(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/roles/{visit.place['role_id']}"),
    )
    return frame.shown(
        "account/role",
        section=SECTION,
        form=form,
        table=table,
        column=column(table, role),
        receipt=receipt,
        editable=table.offers("custom_roles"),
    )


async def show_deletion(visit: Visit, form: Form) -> Outcome:
    """Say who has the role, and what they gain and lose with the one that takes its place."""
    account_id, role_id = visit.account_id, visit.place["role_id"]
    frame: AccountFrame
    frame, table, role, names = await together(
        open_account(visit),
        read_catalog(visit),
        visit.call("GET", f"/v1/accounts/{account_id}/roles/{role_id}"),
        project_names(visit),
    )
    replacement = visit.query.get("replacement") or form.values.get("replacement", "")
    change = {"type": "role_delete", "role_id": role_id}
    if replacement:
        change["replacement"] = replacement
    holders: Mapping[str, str] | None = None
    impact = None
    try:
        preview = await visit.call(
            "POST", f"/v1/accounts/{account_id}/changes/preview", {"change": change}
        )
        impact = read_impact(preview, table, projects=names)
    except ApiRefusal as refusal:
        if refusal.code != IN_USE:
            raise
        holders = refusal.parts
    others = [one for one in table.roles if one["assignable"] and one["id"] != role_id]
    return frame.shown(
        "account/role_delete",
        section=SECTION,
        form=form,
        table=table,
        role=role,
        holders=holders,
        impact=impact,
        replacement=replacement,
        replacement_choices=[(one["id"], one["name"]) for one in others],
        state=state_to_show(role["etag"]),
    )


async def delete(visit: Visit) -> Outcome:
    """Delete the role; those who have it get the replacement that the page showed."""
    replacement = visit.typed.get("replacement", "")
    answer = await visit.answer(
        "DELETE",
        f"/v1/accounts/{visit.account_id}/roles/{visit.place['role_id']}",
        query={"replacement": replacement} if replacement else None,
        if_match=shown_state(visit),
    )
    return after_change(visit, "roles", done="role-deleted", revision=answer.revision)


PAGES = (
    PageRoute(path=f"{places.ACCOUNT}/roles", show=show),
    PageRoute(path=f"{places.ACCOUNT}/roles/{{role_id}}", show=show_role),
    PageRoute(
        path=f"{places.ACCOUNT}/roles/{{role_id}}/delete",
        show=show_deletion,
        submit=delete,
        needs="role:manage",
    ),
)
