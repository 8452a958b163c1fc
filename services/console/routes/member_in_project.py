"""A member inside a project: what the pages about them ask, and show in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.moments import day_of
from services.console.domain.permission_tables import Grants, PermissionTable
from services.console.pages.reasons import why_denied
from services.console.routes.account_catalogs import read_catalog, state_to_show
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import SeeOther
from services.console.routes.person_frame import together
from services.console.routes.receipts import after_change
from services.console.routes.visits import Visit

OF_MEMBER = f"{places.ACCOUNT}/projects/{{project_id}}/members/{{user_id}}"


@dataclass(frozen=True, kw_only=True)
class MemberInProject:
    """What the page is about: a member in a project, with the override that they have there."""

    frame: AccountFrame
    table: PermissionTable
    project: Mapping[str, Any]
    access: Mapping[str, Any]
    member: Mapping[str, Any]
    inside: Mapping[str, str]
    """What the visitor may do inside the project."""
    override: Mapping[str, Any] | None

    @property
    def role(self) -> Grants:
        """What the member's role gives."""
        role = self.table.role(self.access["role"])
        return {} if role is None else role["grants"]

    @property
    def given(self) -> Grants | None:
        """What the override gives, as long as it counts."""
        if self.override is None or self.override["expired"]:
            return None
        grants: Grants = self.override["grants"]
        return grants

    @property
    def ends(self) -> str | None:
        """When the override ends that counts now."""
        if self.override is None or self.override["expired"]:
            return None
        ends: str | None = self.override["expires_at"]
        return ends

    @property
    def last_day(self) -> str:
        """The day on which the override ends, as the form has it; empty without an end."""
        ends = self.ends
        return day_of(ends, time_zone=self.frame.user["time_zone"]) if ends else ""

    @property
    def project_names(self) -> Mapping[str, str]:
        """The name of the project by its id."""
        return {self.project["id"]: self.project["name"]}

    @property
    def words(self) -> Mapping[str, object]:
        """What each page of it shows."""
        return {
            "table": self.table,
            "project": self.project,
            "member": self.member,
            "access": self.access,
            "override": self.override,
            "denied": why_denied(
                self.access,
                member=self.member["name"] or self.member["email"],
                language=self.frame.user["locale"],
            ),
            "state": state_to_show(self.override["etag"] if self.override else None),
        }


async def open_member(visit: Visit) -> MemberInProject:
    """Ask for all that a page about a member in a project needs."""
    account_id = visit.account_id
    project_id, user_id = visit.place["project_id"], visit.place["user_id"]
    of_project = {"project": project_id}
    frame, table, project, access, member, own, override = await together(
        open_account(visit),
        read_catalog(visit),
        visit.call("GET", f"/v1/accounts/{account_id}/projects/{project_id}"),
        visit.call("GET", f"/v1/accounts/{account_id}/members/{user_id}/access", query=of_project),
        visit.call("GET", f"/v1/accounts/{account_id}/members/{user_id}"),
        visit.call("GET", f"/v1/accounts/{account_id}/me/permissions", query=of_project),
        _read_override(visit),
    )
    return MemberInProject(
        frame=frame,
        table=table,
        project=project,
        access=access,
        member=member,
        inside=own["permissions"],
        override=override,
    )


async def _read_override(visit: Visit) -> Mapping[str, Any] | None:
    project_id, user_id = visit.place["project_id"], visit.place["user_id"]
    try:
        found: Mapping[str, Any] = await visit.call(
            "GET",
            f"/v1/accounts/{visit.account_id}/projects/{project_id}/overrides/{user_id}",
        )
    except ApiRefusal as refusal:
        if refusal.status != 404:
            raise
        return None
    return found


def named(visit: Visit) -> dict[str, str]:
    """The ids of the project and the member, as a preview takes them."""
    return {name: visit.place[name] for name in ("project_id", "user_id")}


def back_to_member(visit: Visit, *, done: str, revision: str | None) -> SeeOther:
    """The member's page after a press."""
    steps = ("projects", visit.place["project_id"], "members", visit.place["user_id"])
    return after_change(visit, *steps, done=done, revision=revision)
