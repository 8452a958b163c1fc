"""The access table of a member equals what the decision says, cell by cell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as some

from rolecall import (
    AccountState,
    AccountStatus,
    CompiledCatalog,
    MembershipStatus,
    Resource,
    Scope,
    Subject,
    decide,
    load_catalog,
    milliseconds,
)
from services.team.domain.authority import account_state, member_state
from services.team.domain.member_access import CellSource, access_table, denial
from services.team.domain.overrides import ProjectOverride
from shared.ids import ProjectId
from tests.services.team.memory import ACCOUNT, PROJECT, START, memory, user_id

if TYPE_CHECKING:
    from services.team.domain.member_access import AccessTable

CATALOGS = {name: CompiledCatalog(load_catalog(name)) for name in ("standard", "runos")}
OTHER_PROJECT = ProjectId("prj_" + "0c" * 16)
NOW = milliseconds(START)
TIMES = some.sampled_from([None, START - timedelta(1), START, START + timedelta(1)])
LEVELS = {
    name: [
        (entry.id, level.id, scope)
        for entry in catalog.catalog.entries.values()
        if entry.project_scoped
        for level in entry.levels
        for scope in ([Scope.ALL, Scope.SELF] if level.offers_self else [Scope.ALL])
    ]
    for name, catalog in CATALOGS.items()
}


@given(data=some.data())
def test_each_cell_equals_the_decision_for_an_own_and_a_foreign_resource(
    data: some.DataObject,
) -> None:
    name = data.draw(some.sampled_from(sorted(CATALOGS)))
    catalog = CATALOGS[name]
    world = memory(catalog)
    roles = [role.id for role in catalog.all_roles() if role.assignable]
    world.add("ana", data.draw(some.sampled_from(roles)))
    member = replace(
        world.store.memberships[user_id(data.draw(some.sampled_from(["ana", "owner"])))],
        status=data.draw(some.sampled_from(MembershipStatus)),
        expires_at=data.draw(TIMES),
    )
    grants: dict[str, dict[str, Scope]] = {}
    for entry, level, scope in data.draw(some.lists(some.sampled_from(LEVELS[name]), max_size=4)):
        grants.setdefault(entry, {})[level] = scope
    override = ProjectOverride(
        account_id=ACCOUNT,
        project_id=PROJECT,
        user_id=member.user_id,
        membership_id=member.membership_id,
        grants=grants,
        expires_at=data.draw(TIMES),
        given_by=user_id("owner"),
        given_at=START,
    )
    given_overrides = data.draw(some.sampled_from([[], [override]]))
    account = replace(world.store.rows[ACCOUNT], status=data.draw(some.sampled_from(AccountStatus)))
    state = account_state(
        account,
        catalog,
        [member_state(catalog, member, given_overrides)],
        [PROJECT, OTHER_PROJECT],
    )
    for project_id in (None, PROJECT, OTHER_PROJECT):
        table = access_table(state, state.members[member.user_id], project_id, now=NOW)
        assert scopes(table) == decided(state, member.user_id, project_id)
        overridden = project_id == PROJECT and given_overrides and not override.expired(START)
        if denial(state, state.members[member.user_id], now=NOW) is not None:
            overridden = False
        role = CellSource.OWNER if member.user_id == user_id("owner") else CellSource.ROLE
        for entry, levels in table.items():
            in_override = overridden and catalog.catalog.entries[entry].project_scoped
            for cell in levels.values():
                without = CellSource.NOTHING if cell.scope is None else role
                assert cell.source is (CellSource.OVERRIDE if in_override else without)


def scopes(table: AccessTable) -> dict[str, str | None]:
    return {
        f"{entry}:{level}": cell.scope
        for entry, levels in table.items()
        for level, cell in levels.items()
    }


def decided(
    state: AccountState, member_id: str, project_id: ProjectId | None
) -> dict[str, str | None]:
    """The scope of each level, as the decision allows it for two owners of the resource."""

    def allows(permission: str, owner_id: str) -> bool:
        resource = Resource(owner_id=owner_id, project_id=project_id)
        return decide(state, Subject(member_id), permission, resource, now=NOW).allowed

    found: dict[str, str | None] = {}
    for entry in state.catalog.catalog.entries.values():
        for level in entry.levels:
            permission = f"{entry.id}:{level.id}"
            own, foreign = allows(permission, member_id), allows(permission, "usr_other")
            found[permission] = "all" if foreign else "self" if own else None
    return found
