"""Another role, and the search and order of the list: tables, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from rolecall import CompiledCatalog, Delivery, MembershipStatus, load_catalog
from services.team.domain.account_access import (
    AccessRows,
    AccountAccess,
    authorize,
    visible_projects,
)
from services.team.domain.authority import GrantsExceeded
from services.team.domain.invitations import Invitation
from services.team.domain.member_list import (
    MemberListField,
    MemberListRow,
    MemberListStatus,
    invitation_row,
    member_row,
    search,
)
from services.team.domain.member_rules import change_role
from services.team.domain.members import OwnerProtected
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.domain.roles import RoleUnknown
from shared.ids import InvitationId, ProjectId
from shared.problems import PermissionMissing
from tests.services.team.memory import ACCOUNT, PROJECT, START, Memory, memory, user_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rolecall import Grants
    from shared.problems import Refusal

STANDARD = CompiledCatalog(load_catalog("standard"))


def access_of(world: Memory, name: str, overrides: Sequence[ProjectOverride] = ()) -> AccountAccess:
    rows = AccessRows(
        account=world.store.rows[ACCOUNT],
        catalog=STANDARD,
        membership=world.store.memberships[user_id(name)],
        overrides=overrides,
    )
    return authorize(rows, "account:view", now=START)


# who changes, whose role, to which role, what follows
CHANGES: list[tuple[str, str, str, type[Refusal] | str | None]] = [
    ("owner", "viewer", "admin", "admin"),
    ("admin", "viewer", "developer", "developer"),
    ("admin", "viewer", "viewer", None),
    ("viewer", "admin", "viewer", "viewer"),
    ("viewer", "viewer", "admin", GrantsExceeded),
    ("viewer", "admin", "admin", None),
    ("admin", "owner", "viewer", OwnerProtected),
    ("admin", "viewer", "owner", RoleUnknown),
    ("admin", "owner", "owner", RoleUnknown),
    ("admin", "viewer", "emperor", RoleUnknown),
]


@pytest.mark.rule("Ci3", "Ci7", "B5")
@pytest.mark.parametrize(("actor", "target", "role", "outcome"), CHANGES)
def test_a_role_is_changed_or_the_change_is_refused(
    actor: str, target: str, role: str, outcome: type[Refusal] | str | None
) -> None:
    world = memory(STANDARD)
    for name in ("admin", "viewer"):
        world.add(name, name)
    member = world.store.memberships[user_id(target)]
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            change_role(access_of(world, actor), member, role)
        return
    changed, fact = change_role(access_of(world, actor), member, role)
    assert (changed.role, fact is None) == (role, outcome is None)
    assert replace(changed, role=member.role) == member


def rows() -> list[MemberListRow]:
    world = memory(STANDARD)
    access = access_of(world, "owner")
    zoe, bert = world.add("zoe", "viewer"), world.add("bert", "admin")
    invited = Invitation(
        account_id=ACCOUNT,
        invitation_id=InvitationId("inv_1"),
        email="Ina@other.example",
        email_key="ina@other.example",
        role="developer",
        delivery=Delivery.EMAIL,
        inviter_user_id=user_id("owner"),
        inviter_name="Owner",
        inviter_email="owner@example.com",
        created_at=START - timedelta(days=3),
        expires_at=START + timedelta(days=1),
    )
    over = replace(
        invited,
        invitation_id=InvitationId("inv_2"),
        email="old@other.example",
        created_at=START - timedelta(days=9),
        expires_at=START,
    )
    return [
        member_row(access, world.store.memberships[user_id("owner")]),
        member_row(access, replace(zoe, joined_at=START - timedelta(days=1), name="Zoë")),
        member_row(access, replace(bert, status=MembershipStatus.SUSPENDED)),
        invitation_row(access, invited),
        invitation_row(access, over),
    ]


SEARCHES: list[tuple[str, MemberListStatus | None, list[str]]] = [
    ("", None, ["owner@", "zoe@", "bert@", "Ina@", "old@"]),
    ("ZOË", None, ["zoe@"]),
    (" zoë ", None, ["zoe@"]),
    ("Zoe\u0308", None, ["zoe@"]),
    ("\uff3a\uff4f\u00eb", None, ["zoe@"]),
    ("OTHER.example", None, ["Ina@", "old@"]),
    ("", MemberListStatus.ACTIVE, ["owner@", "zoe@"]),
    ("", MemberListStatus.SUSPENDED, ["bert@"]),
    ("", MemberListStatus.INVITED, ["Ina@"]),
    ("", MemberListStatus.EXPIRED, ["old@"]),
    ("zoe", MemberListStatus.SUSPENDED, []),
]


@pytest.mark.rule("Ro13", "Nv15")
@pytest.mark.parametrize(("text", "status", "found"), SEARCHES)
def test_the_list_is_searched_by_text_and_status(
    text: str, status: MemberListStatus | None, found: list[str]
) -> None:
    assert [row.email.split("@")[0] + "@" for row in search(rows(), text=text, status=status)] == (
        found
    )


ORDERS = {
    MemberListField.NAME: ["bert", "Ina", "old", "owner", "zoe"],
    MemberListField.EMAIL: ["bert", "Ina", "old", "owner", "zoe"],
    MemberListField.ROLE: ["bert", "Ina", "old", "owner", "zoe"],
    MemberListField.SINCE: ["old", "Ina", "zoe", "bert", "owner"],
}


@pytest.mark.parametrize("field", MemberListField)
def test_the_list_is_sorted_by_one_field(field: MemberListField) -> None:
    ordered = sorted(rows(), key=lambda row: row.sort_key(field))
    assert [row.email.split("@")[0] for row in ordered] == ORDERS[field]


@pytest.mark.parametrize(
    ("role", "grants", "visible"),
    [
        ("viewer", None, ["prod", "test"]),
        ("viewer", {}, ["test"]),
        ("nothing", None, PermissionMissing),
    ],
)
def test_only_projects_that_the_member_may_see_are_listed(
    role: str, grants: Grants | None, visible: list[str] | type[Refusal]
) -> None:
    world = memory(STANDARD)
    member = world.add("ana", "viewer")
    overrides = []
    if grants is not None:
        override = ProjectOverride(
            account_id=ACCOUNT,
            project_id=PROJECT,
            user_id=member.user_id,
            membership_id=member.membership_id,
            grants=grants,
            expires_at=None,
            given_by=user_id("owner"),
            given_at=START,
        )
        overrides.append(override)
    projects = [
        Project(account_id=ACCOUNT, project_id=project_id, name=name, created_at=START)
        for project_id, name in ((PROJECT, "prod"), (ProjectId("prj_2"), "test"))
    ]
    permission = "instance:view" if role == "viewer" else "instance:write"
    access = access_of(world, "ana", overrides)
    if isinstance(visible, type):
        with pytest.raises(visible):
            visible_projects(access, projects, permission)
        return
    assert [one.name for one in visible_projects(access, projects, permission)] == visible
