"""The page that shows what one member may do everywhere and in each project, and where from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.domain import places
from services.console.domain.grant_texts import EntryText, differing, of_cells
from services.console.domain.permission_tables import PermissionTable, TableSection
from services.console.pages.reasons import why_denied
from services.console.pages.rendering import Form
from services.console.routes.access_explorer import SECTION, WHY, question_about
from services.console.routes.account_catalogs import read_catalog
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

SHOWN_PROJECTS = "10"


@dataclass(frozen=True, kw_only=True)
class ProjectAccess:
    """What the member may do in one project; `differs` from outside of it by an override.

    `parts` are the entries of which it gives something else.
    """

    project: Mapping[str, Any]
    rows: Mapping[str, EntryText]
    parts: Sequence[TableSection]

    @property
    def differs(self) -> bool:
        """Whether an override counts here."""
        override = self.project["override"]
        return override is not None and not override["expired"]


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the member's permissions, with the origin of each; of one, lead to why."""
    if permission := visit.query.get(WHY):
        asked = {"member": visit.place["user_id"], "project": visit.query.get("project", "")}
        return SeeOther(question_about(visit, permission=permission, **asked))
    query = {"limit": SHOWN_PROJECTS}
    if cursor := visit.query.get("cursor"):
        query["cursor"] = cursor
    account_id, user_id = visit.account_id, visit.place["user_id"]
    frame: AccountFrame
    frame, table, access, member = await together(
        open_account(visit),
        read_catalog(visit),
        visit.call("GET", f"/v1/accounts/{account_id}/members/{user_id}/access", query=query),
        visit.call("GET", f"/v1/accounts/{account_id}/members/{user_id}"),
    )
    rows = of_cells(table, access["cells"])
    return frame.shown(
        "account/member_access",
        section=SECTION,
        form=form,
        table=table,
        member=member,
        access=access,
        denied=why_denied(
            access, member=member["name"] or member["email"], language=frame.user["locale"]
        ),
        rows=rows,
        projects=[_in_project(table, one, rows) for one in access["items"]],
        following=access["next_cursor"],
        first="cursor" not in visit.query,
    )


def _in_project(
    table: PermissionTable, project: Mapping[str, Any], outside: Mapping[str, EntryText]
) -> ProjectAccess:
    rows = of_cells(table, project["cells"])
    parts = differing(table.inside_projects(), rows, outside)
    return ProjectAccess(project=project, rows=rows, parts=parts)


PAGES = (PageRoute(path=f"{places.ACCOUNT}/access/members/{{user_id}}", show=show),)
