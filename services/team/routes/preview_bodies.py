"""The changes that can be previewed: what each takes, and the route that makes it.

A further change is one class here and one row in `REAL_ROUTES`. The class has the fields of the
real route's body or query, of which it is a subclass, and the ids of the real route's path.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from services.team.routes import (
    accounts,
    catalog_moves,
    members,
    overrides,
    projects,
    reverting,
    roles,
)
from services.team.routes.accounts import ChangeAccount, Convert
from services.team.routes.catalog_moves import MoveCatalog
from services.team.routes.members import ChangeMember
from services.team.routes.overrides import PutOverride
from services.team.routes.projects import NameProject
from services.team.routes.removals import RemovalQuery
from services.team.routes.reverting import Revert
from services.team.routes.roles import DeleteRoleQuery, EditRole
from shared.http.routes import Body, Route

RoleInPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~:-]{0,63}$")]
MemberInPath = Annotated[str, Field(pattern=r"^usr_[0-9a-f]{32}$")]
ProjectInPath = Annotated[str, Field(pattern=r"^prj_[0-9a-f]{32}$")]


class RoleEdit(EditRole):
    """As `changeRole`."""

    type: Literal["role_edit"]
    role_id: RoleInPath


class RoleDelete(DeleteRoleQuery):
    """As `deleteRole`."""

    type: Literal["role_delete"]
    role_id: RoleInPath


class MemberEdit(ChangeMember):
    """As `changeMember`."""

    type: Literal["member_change"]
    user_id: MemberInPath


class MemberSuspension(Body):
    """As `suspendMember`, which compares no state: `If-Match` does not count."""

    type: Literal["member_suspension"]
    user_id: MemberInPath


class MemberResumption(Body):
    """As `resumeMember`, which compares no state: `If-Match` does not count."""

    type: Literal["member_resumption"]
    user_id: MemberInPath


class MemberRemoval(RemovalQuery):
    """As `removeMember`."""

    type: Literal["member_removal"]
    user_id: MemberInPath


class Leaving(Body):
    """As `leaveAccount`, which compares no state: `If-Match` does not count."""

    type: Literal["leave"]


class OverrideSetting(PutOverride):
    """As `setOverride`."""

    type: Literal["override_set"]
    project_id: ProjectInPath
    user_id: MemberInPath


class OverrideRemoval(Body):
    """As `removeOverride`."""

    type: Literal["override_removal"]
    project_id: ProjectInPath
    user_id: MemberInPath


class ProjectCreation(NameProject):
    """As `createProject`, which compares no state: `If-Match` does not count."""

    type: Literal["project_create"]


class ProjectDeletion(Body):
    """As `deleteProject`."""

    type: Literal["project_delete"]
    project_id: ProjectInPath


class AccountEdit(ChangeAccount):
    """As `changeAccount`."""

    type: Literal["account_change"]


class AccountConversion(Convert):
    """As `convertAccount`, which compares no state: `If-Match` does not count."""

    type: Literal["conversion"]


class AccountMove(MoveCatalog):
    """As `moveToCatalog`."""

    type: Literal["catalog_move"]


class Reversion(Revert):
    """As `revertAccount`, which compares no state: `If-Match` does not count."""

    type: Literal["revert"]


AnyChange = (
    RoleEdit
    | RoleDelete
    | MemberEdit
    | MemberSuspension
    | MemberResumption
    | MemberRemoval
    | Leaving
    | OverrideSetting
    | OverrideRemoval
    | ProjectCreation
    | ProjectDeletion
    | AccountEdit
    | AccountConversion
    | AccountMove
    | Reversion
)


class PreviewedChange(Body):
    """One change, with the fields of its own route."""

    change: AnyChange = Field(discriminator="type")


_ROWS = {
    row.operation_id: row
    for table in (
        accounts.ROUTES,
        catalog_moves.ROUTES,
        members.ROUTES,
        overrides.ROUTES,
        projects.ROUTES,
        roles.ROUTES,
        reverting.ROUTES,
    )
    for row in table
}
REAL_ROUTES: Mapping[type[Body], Route] = {
    RoleEdit: _ROWS["changeRole"],
    RoleDelete: _ROWS["deleteRole"],
    MemberEdit: _ROWS["changeMember"],
    MemberSuspension: _ROWS["suspendMember"],
    MemberResumption: _ROWS["resumeMember"],
    MemberRemoval: _ROWS["removeMember"],
    Leaving: _ROWS["leaveAccount"],
    OverrideSetting: _ROWS["setOverride"],
    OverrideRemoval: _ROWS["removeOverride"],
    ProjectCreation: _ROWS["createProject"],
    ProjectDeletion: _ROWS["deleteProject"],
    AccountEdit: _ROWS["changeAccount"],
    AccountConversion: _ROWS["convertAccount"],
    AccountMove: _ROWS["moveToCatalog"],
    Reversion: _ROWS["revertAccount"],
}
