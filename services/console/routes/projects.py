"""The pages of the projects: the list, one project with its members, and its deletion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.grant_texts import of_grants, summary
from services.console.domain.impacts import read_impact
from services.console.domain.permission_tables import PermissionTable
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import (
    MAX_PAGES,
    PAGE,
    after_press,
    read_catalog,
    shown_state,
    state_to_show,
)
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.receipts import after_change, read_receipt
from services.console.routes.visits import Visit

SECTION = "projects"
SHOWN = "50"
HAS_RESOURCES = "project-has-resources"


@dataclass(frozen=True, kw_only=True)
class MemberRow:
    """A member of a project's page: what they may do inside it, in a few words."""

    member: Mapping[str, Any]
    override: Mapping[str, Any] | None
    held: Sequence[tuple[str, Sequence[str]]]
    """The entries that they have at each highest level; an empty title: nothing."""


async def show(visit: Visit, form: Form) -> Outcome:
    """List the projects that the visitor may see."""
    query = {"limit": SHOWN}
    if cursor := visit.query.get("cursor"):
        query["cursor"] = cursor
    frame: AccountFrame
    frame, table, receipt, listed = await together(
        open_account(visit),
        read_catalog(visit),
        read_receipt(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=query),
    )
    return frame.shown(
        "account/projects",
        section=SECTION,
        form=form,
        table=table,
        projects=listed["items"],
        receipt=receipt,
        following=listed["next_cursor"],
        first="cursor" not in visit.query,
    )


async def create(visit: Visit) -> Outcome:
    """Make a project."""
    made = await visit.call(
        "POST",
        f"/v1/accounts/{visit.account_id}/projects",
        {"name": visit.typed.get("name", "")},
        key=visit.typed.get("once"),
    )
    return after_press(visit, "projects", made["id"], done="project-made")


async def show_project(visit: Visit, form: Form) -> Outcome:
    """Show one project: its members, and what each may do in it."""
    account_id, project_id = visit.account_id, visit.place["project_id"]
    own = visit.call(
        "GET", f"/v1/accounts/{account_id}/me/permissions", query={"project": project_id}
    )
    frame: AccountFrame
    frame, table, project, here = await together(
        open_account(visit),
        read_catalog(visit),
        visit.call("GET", f"/v1/accounts/{account_id}/projects/{project_id}"),
        own,
    )
    members: Mapping[str, Any] = {"items": [], "next_cursor": None}
    overrides: Mapping[str, Mapping[str, Any]] = {}
    if "member:view" in frame.permissions:
        members, overrides = await together(
            visit.call(
                "GET", f"/v1/accounts/{account_id}/members", query=_members_query(visit.query)
            ),
            _overrides(visit, table),
        )
    return frame.shown(
        "account/project",
        section=SECTION,
        form=form,
        table=table,
        project=project,
        inside=here["permissions"],
        all_entries=sum(len(part.entries) for part in table.inside_projects()),
        rows=[_row(table, one, overrides.get(one["user_id"])) for one in members["items"]],
        following=members["next_cursor"],
        first="cursor" not in visit.query,
        q=visit.query.get("q", ""),
        state=state_to_show(project["etag"]),
    )


def _members_query(asked: Mapping[str, str]) -> Mapping[str, str]:
    chosen = {name: asked[name] for name in ("q", "cursor") if asked.get(name)}
    return {"limit": SHOWN, "status": "active", **chosen}


async def _overrides(visit: Visit, table: PermissionTable) -> Mapping[str, Mapping[str, Any]]:
    """The overrides of the project by the ids of their members, as far as they may be seen."""
    found: dict[str, Mapping[str, Any]] = {}
    query = {"limit": PAGE}
    for _ in range(MAX_PAGES if table.offers("overrides") else 0):
        listed = await visit.call(
            "GET",
            f"/v1/accounts/{visit.account_id}/projects/{visit.place['project_id']}/overrides",
            query=query,
        )
        found |= {one["user_id"]: one for one in listed["items"]}
        if listed["next_cursor"] is None:
            break
        query = {"limit": PAGE, "cursor": listed["next_cursor"]}
    return found


def _row(
    table: PermissionTable, member: Mapping[str, Any], override: Mapping[str, Any] | None
) -> MemberRow:
    role = table.role(member["role"])
    grants = {} if role is None else role["grants"]
    if override is not None and not override["expired"]:
        grants = override["grants"]
    rows = of_grants(table, grants)
    inside = [rows[entry.id] for part in table.inside_projects() for entry in part.entries]
    return MemberRow(member=member, override=override, held=summary(inside))


async def rename(visit: Visit) -> Outcome:
    """Give the project another name."""
    account_id, project_id = visit.account_id, visit.place["project_id"]
    await visit.call(
        "PATCH",
        f"/v1/accounts/{account_id}/projects/{project_id}",
        {"name": visit.typed.get("name", "")},
        if_match=shown_state(visit),
    )
    return after_press(visit, "projects", project_id, done="project-renamed")


async def show_deletion(visit: Visit, form: Form) -> Outcome:
    """Say who loses what with the project."""
    account_id, project_id = visit.account_id, visit.place["project_id"]
    change = {"type": "project_delete", "project_id": project_id}
    frame: AccountFrame
    frame, table, project = await together(
        open_account(visit),
        read_catalog(visit),
        visit.call("GET", f"/v1/accounts/{account_id}/projects/{project_id}"),
    )
    impact, resources = None, ""
    try:
        preview = await visit.call(
            "POST", f"/v1/accounts/{account_id}/changes/preview", {"change": change}
        )
        impact = read_impact(preview, table, projects={project_id: project["name"]})
    except ApiRefusal as refusal:
        if refusal.code != HAS_RESOURCES:
            raise
        resources = refusal.parts["count"]
    return frame.shown(
        "account/project_delete",
        section=SECTION,
        form=form,
        table=table,
        project=project,
        impact=impact,
        resources=resources,
        state=state_to_show(project["etag"]),
    )


async def delete(visit: Visit) -> Outcome:
    """Delete the project."""
    answer = await visit.answer(
        "DELETE",
        f"/v1/accounts/{visit.account_id}/projects/{visit.place['project_id']}",
        if_match=shown_state(visit),
    )
    return after_change(visit, "projects", done="project-deleted", revision=answer.revision)


def _state(visit: Visit) -> str:
    return shown_state(visit)


NAMED = frozenset({"name"})
PAGES = (
    PageRoute(path=f"{places.ACCOUNT}/projects", show=show, submit=create, fields=NAMED),
    PageRoute(
        path=f"{places.ACCOUNT}/projects/{{project_id}}",
        show=show_project,
        submit=rename,
        fields=NAMED,
    ),
    PageRoute(
        path=f"{places.ACCOUNT}/projects/{{project_id}}/delete",
        show=show_deletion,
        submit=delete,
    ),
)
