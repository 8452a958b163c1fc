"""The pages that make and change a role of the account's own, with a preview."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.grant_texts import of_grants
from services.console.domain.impacts import read_impact
from services.console.domain.permission_tables import (
    Grants,
    PermissionTable,
    typed_choices,
    typed_grants,
)
from services.console.pages.page_text import Fault
from services.console.pages.rendering import Form
from services.console.pages.words.access import LEVELS_DO_NOT_FIT, NEEDS_LEVEL
from services.console.routes.account_catalogs import (
    project_names,
    read_catalog,
    shown_state,
    state_to_show,
)
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute, kept_values, page_status
from services.console.routes.person_frame import together
from services.console.routes.receipts import after_change
from services.console.routes.roles import SECTION
from services.console.routes.visits import Visit

MAX_FIELDS = 1_000
ENTER = "account:view"
"""Every role has it, so the catalog has a level with it."""


async def show_new(visit: Visit, form: Form) -> Outcome:
    """Show an empty table, or that of the role that is copied."""
    frame: AccountFrame
    frame, table = await together(open_account(visit), read_catalog(visit))
    copied = table.role(visit.query.get("from", "")) or {"grants": _least(table), "name": ""}
    values = form.values or typed_choices(copied["grants"])
    return frame.shown(
        "account/role_edit",
        section=SECTION,
        form=replace(form, values=values),
        table=table,
        role=None,
        copied=copied["name"],
        before={},
        own=frame.permissions,
        state="",
    )


def _least(table: PermissionTable) -> Grants:
    """What every role has to give."""
    level = table.by_permission[ENTER]
    return {level.entry: {level.id: "all"}}


async def create(visit: Visit) -> Outcome:
    """Make the role: no one has it yet, so no one gains or loses by it."""
    table = await read_catalog(visit)
    grants = typed_grants(table.sections, visit.typed, _copied_grants(table, visit))
    try:
        made = await visit.answer(
            "POST",
            f"/v1/accounts/{visit.account_id}/roles",
            {**_described(visit), "grants": grants},
            key=visit.typed.get("once"),
        )
    except ApiRefusal as refusal:
        if (form := _faults(visit, refusal, table)) is None:
            raise
        return await show_new(visit, form)
    steps = ("roles", made.body["id"])
    return after_change(visit, *steps, done="role-made", revision=made.revision)


def _copied_grants(table: PermissionTable, visit: Visit) -> Grants:
    """The grants whose conditions the new role may keep."""
    copied = table.role(visit.query.get("from", ""))
    return {} if copied is None else copied["grants"]


async def show_edit(visit: Visit, form: Form) -> Outcome:
    """Show the role as it is, or as it was typed."""
    frame: AccountFrame
    frame, table, role = await together(open_account(visit), read_catalog(visit), _read_role(visit))
    described = {"name": role["name"], "description": role["description"]}
    values = form.values or {**described, **typed_choices(role["grants"])}
    return frame.shown(
        "account/role_edit",
        section=SECTION,
        form=replace(form, values=values),
        table=table,
        role=role,
        copied="",
        before=role["grants"],
        own=frame.permissions,
        state=state_to_show(role["etag"]),
    )


async def submit_edit(visit: Visit) -> Outcome:
    """Show what the change would do, go back to the form, or make the change."""
    press = visit.typed.get("press")
    if press == "again":
        typed = kept_values(visit)
        return await show_edit(visit, Form(values=typed, state=typed.get("state", "")))
    table, role = await together(read_catalog(visit), _read_role(visit))
    body = {
        **_described(visit),
        "grants": typed_grants(table.sections, visit.typed, role["grants"]),
    }
    try:
        if press == "save":
            return await _save(visit, body)
        return await _preview(visit, table, role, body)
    except ApiRefusal as refusal:
        if (form := _faults(visit, refusal, table)) is None:
            raise
        return await show_edit(visit, form)


async def _save(visit: Visit, body: Mapping[str, Any]) -> Outcome:
    role_id = visit.place["role_id"]
    answer = await visit.answer(
        "PATCH",
        f"/v1/accounts/{visit.account_id}/roles/{role_id}",
        body,
        if_match=shown_state(visit),
    )
    steps = ("roles", role_id)
    return after_change(visit, *steps, done="role-edited", revision=answer.revision)


async def _preview(
    visit: Visit, table: PermissionTable, role: Mapping[str, Any], body: Mapping[str, Any]
) -> Outcome:
    change = {"type": "role_edit", "role_id": visit.place["role_id"], **body}
    frame: AccountFrame
    frame, preview, names = await together(
        open_account(visit),
        visit.call(
            "POST",
            f"/v1/accounts/{visit.account_id}/changes/preview",
            {"change": change},
            if_match=shown_state(visit),
        ),
        project_names(visit),
    )
    return frame.shown(
        "account/role_preview",
        section=SECTION,
        form=Form(values=kept_values(visit)),
        table=table,
        role=role,
        name=body["name"],
        rows=of_grants(table, body["grants"]),
        impact=read_impact(preview, table, projects=names),
        state=visit.typed.get("state", ""),
    )


async def _read_role(visit: Visit) -> Mapping[str, Any]:
    role: Mapping[str, Any] = await visit.call(
        "GET", f"/v1/accounts/{visit.account_id}/roles/{visit.place['role_id']}"
    )
    return role


def _described(visit: Visit) -> dict[str, str]:
    return {name: visit.typed.get(name, "") for name in ("name", "description")}


def _state(visit: Visit) -> str:
    """The state of the role that the form was made from."""
    return shown_state(visit)


def _faults(visit: Visit, refusal: ApiRefusal, table: PermissionTable) -> Form | None:
    """The form with what is wrong with its grants; None if the fault is another one."""
    errors: dict[str, Fault] = {}
    for pointer in refusal.errors:
        parts = pointer.removeprefix("/change").split("/")[1:]
        if parts == ["grants"]:
            level = table.by_permission[ENTER]
            entry = table.entries[level.entry]
            errors["grants"] = NEEDS_LEVEL.filled(level=f"{entry.title}: {level.title}")
        elif parts and parts[0] == "grants" and parts[1] in table.entries:
            errors[f"grant.{parts[1]}"] = LEVELS_DO_NOT_FIT
        elif parts and parts[0] in DESCRIBED:
            errors[parts[0]] = refusal.errors[pointer]
    if not errors:
        return None
    return Form(values=kept_values(visit), errors=errors, status=page_status(refusal))


DESCRIBED = frozenset({"name", "description"})
PAGES = (
    PageRoute(
        path=f"{places.ACCOUNT}/roles/new",
        needs="role:manage",
        show=show_new,
        submit=create,
        fields=DESCRIBED,
        max_fields=MAX_FIELDS,
    ),
    PageRoute(
        path=f"{places.ACCOUNT}/roles/{{role_id}}/edit",
        needs="role:manage",
        show=show_edit,
        submit=submit_edit,
        fields=DESCRIBED,
        max_fields=MAX_FIELDS,
    ),
)
