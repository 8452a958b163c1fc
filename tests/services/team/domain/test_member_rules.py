"""Another role, and the search and order of the list: tables, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import CompiledCatalog, MembershipStatus, Scope, load_catalog
from services.team.domain.account_access import (
    AccessRows,
    AccountAccess,
    authorize,
    visible_projects,
)
from services.team.domain.authority import EndExceeded, GrantsExceeded
from services.team.domain.member_rules import (
    End,
    MemberChange,
    NotYourself,
    change,
    resume,
    suspend,
)
from services.team.domain.members import OwnerProtected
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.domain.roles import RoleUnknown
from shared.ids import ProjectId
from shared.problems import Invalid, PermissionMissing
from tests.services.team.memory import ACCOUNT, PROJECT, START, Memory, memory, user_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

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
            change(access_of(world, actor), member, [], MemberChange(role=role), all_overrides=[])
        return
    changed, facts = change(
        access_of(world, actor), member, [], MemberChange(role=role), all_overrides=[]
    )
    assert (changed.role, not facts) == (role, outcome is None)
    assert replace(changed, role=member.role) == member


DAY = timedelta(days=1)
ENDS: list[tuple[str, str, int | None, int | None, type[Refusal] | None]] = [
    # who, whom, the days until the end that whom has, and until the one that they get
    ("admin", "viewer", None, 5, None),
    ("admin", "viewer", 5, None, None),
    ("admin", "viewer", -5, 5, None),
    ("admin", "viewer", None, 0, Invalid),
    ("admin", "owner", None, 5, OwnerProtected),
    ("short", "viewer", 5, 9, None),
    ("short", "viewer", 5, 10, None),
    ("short", "viewer", 5, 11, EndExceeded),
    ("short", "viewer", 5, None, EndExceeded),
    ("short", "viewer", None, 20, None),
    ("short", "viewer", 20, 15, None),
    ("short", "short", 10, 11, EndExceeded),
    ("short", "short", 10, 9, None),
    ("viewer", "admin", 5, 9, GrantsExceeded),
    ("viewer", "admin", 9, 5, None),
]
"""`short` is an admin for ten days. An earlier end gives nothing, so it needs no more."""


def moment(days: int | None) -> datetime | None:
    return None if days is None else START + days * DAY


@pytest.mark.rule("B4", "B5")
@pytest.mark.parametrize(("actor", "target", "before", "after", "outcome"), ENDS)
def test_no_member_gives_a_later_end_than_their_own(
    actor: str, target: str, before: int | None, after: int | None, outcome: type[Refusal] | None
) -> None:
    world = memory(STANDARD)
    for name, role in (("admin", "admin"), ("viewer", "viewer"), ("short", "admin")):
        world.add(name, role)
    short = world.store.memberships[user_id("short")]
    world.store.memberships[short.user_id] = replace(short, expires_at=moment(10))
    member = replace(world.store.memberships[user_id(target)], expires_at=moment(before))
    wanted = MemberChange(end=End(at=moment(after)))
    if outcome is not None:
        with pytest.raises(outcome):
            change(access_of(world, actor), member, [], wanted, all_overrides=[])
        return
    changed, [fact] = change(access_of(world, actor), member, [], wanted, all_overrides=[])
    assert changed == replace(member, expires_at=moment(after))
    assert fact.policy_objects == (changed.policy_object(),)


@pytest.mark.rule("B4", "B5")
def test_a_member_with_an_end_raises_a_role_only_until_then() -> None:
    """Lowering one gives nothing, so it is allowed at any time."""
    world = memory(STANDARD)
    for name, role in (("short", "admin"), ("viewer", "viewer")):
        world.add(name, role)
    short = world.store.memberships[user_id("short")]
    world.store.memberships[short.user_id] = replace(short, expires_at=moment(10))
    access, viewer = access_of(world, "short"), world.store.memberships[user_id("viewer")]
    with pytest.raises(EndExceeded):
        change(access, viewer, [], MemberChange(role="developer"), all_overrides=[])
    wanted = MemberChange(role="developer", end=End(at=moment(10)))
    raised, facts = change(access, viewer, [], wanted, all_overrides=[])
    assert (raised.role, raised.expires_at, len(facts)) == ("developer", moment(10), 2)
    lowered, _ = change(
        access, replace(viewer, role="admin"), [], MemberChange(role="viewer"), all_overrides=[]
    )
    assert lowered.role == "viewer"


@pytest.mark.rule("B5")
def test_who_resumes_a_member_holds_what_comes_back() -> None:
    """The role, and the overrides that are not over."""
    world = memory(STANDARD)
    for name in ("admin", "viewer"):
        world.add(name, name)
    admin, viewer = (world.store.memberships[user_id(one)] for one in ("admin", "viewer"))
    suspended, fact = suspend(access_of(world, "viewer"), admin)
    assert fact is not None
    assert (suspended.status, suspended.role) == (MembershipStatus.SUSPENDED, "admin")
    assert suspend(access_of(world, "viewer"), suspended) == (suspended, None)
    with pytest.raises(GrantsExceeded):
        resume(access_of(world, "viewer"), suspended, [])
    assert resume(access_of(world, "admin"), suspended, [])[0] == admin
    assert resume(access_of(world, "admin"), admin, []) == (admin, None)

    writes = ProjectOverride(
        account_id=ACCOUNT,
        project_id=PROJECT,
        user_id=viewer.user_id,
        membership_id=viewer.membership_id,
        grants={"instance": {"write": Scope.ALL}},
        expires_at=moment(1),
        given_by=user_id("owner"),
        given_at=START,
    )
    world.add("other", "viewer")
    away = replace(viewer, status=MembershipStatus.SUSPENDED)
    with pytest.raises(GrantsExceeded):
        resume(access_of(world, "other"), away, [writes])
    assert resume(access_of(world, "other"), away, [replace(writes, expires_at=START)])[1]


def test_neither_the_owner_nor_the_caller_is_suspended() -> None:
    world = memory(STANDARD)
    world.add("admin", "admin")
    with pytest.raises(OwnerProtected):
        suspend(access_of(world, "admin"), world.store.memberships[user_id("owner")])
    with pytest.raises(NotYourself):
        suspend(access_of(world, "admin"), world.store.memberships[user_id("admin")])


ATTRIBUTES: list[tuple[dict[str, Any], list[str]]] = [
    ({"department": "sales", "level": 3, "rate": 0.5, "on_call": True}, []),
    ({f"key_{number}": number for number in range(32)}, []),
    ({f"key_{number}": number for number in range(33)}, ["/attributes"]),
    ({"Big": 1, "a/b": 1, "": 1}, ["/attributes/Big", "/attributes/a~1b", "/attributes/"]),
    ({"text": "x" * 256}, []),
    ({"text": "x" * 257}, ["/attributes/text"]),
    ({f"key_{number}": "x" * 200 for number in range(20)}, ["/attributes"]),
]


@pytest.mark.parametrize(("attributes", "faults"), ATTRIBUTES)
def test_attributes_are_bounded(attributes: dict[str, Any], faults: list[str]) -> None:
    world = memory(STANDARD)
    member, wanted = world.add("viewer", "viewer"), MemberChange(attributes=attributes)
    if faults:
        with pytest.raises(Invalid) as refused:
            change(access_of(world, "owner"), member, [], wanted, all_overrides=[])
        assert [pointer for pointer, _ in refused.value.errors] == faults
        return
    changed, [fact] = change(access_of(world, "owner"), member, [], wanted, all_overrides=[])
    assert changed.attributes == attributes
    state = fact.policy_objects[0].state
    assert state is not None
    assert (state["attributes"], fact.after) == (attributes, {"attributes": attributes})
    assert change(access_of(world, "owner"), changed, [], wanted, all_overrides=[]) == (changed, ())


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
