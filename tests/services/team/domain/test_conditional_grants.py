"""Conditional grants in team's rules: who gives them, and what previews and guardrails say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rolecall import Catalog, CompiledCatalog, read_grant, written_grant
from services.team.domain.account_access import AccessRows, AccountAccess, authorize
from services.team.domain.account_policy import account_policy
from services.team.domain.authority import GrantsExceeded
from services.team.domain.catalog_mapping import CatalogMapping, MappingNeeded, Translator
from services.team.domain.custom_roles import CustomRole, edited
from services.team.domain.guardrail_violations import Held, added, present
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from services.team.domain.impact import LevelChange, impact_of
from services.team.domain.overrides import MAX_OVERRIDE_BYTES, grants_as_json, parse_grants
from services.team.domain.resources import ResourceFilter
from services.team.domain.role_rules import create
from services.team.use_cases import resources
from shared.ids import GuardrailId, RoleId
from shared.problems import Invalid
from tests.sdk.papers import ACTIVE, content
from tests.services.team.memory import ACCOUNT, START, Memory, finished, memory, user_id

SECURE = {"scope": "all", "when": [{"path": "context.mfa", "equals": True}]}
OWN_ACTIVE = {**ACTIVE, "scope": "self"}
VIEWS = {"account": {"view": "all"}}
MANAGES = {**VIEWS, "member": {"*": "all"}, "role": {"*": "all"}}
CATALOG = CompiledCatalog(Catalog.from_mapping(content()))
ROLE = RoleId("rol_" + "0c" * 16)


def world_with(view: Any, **more: Any) -> Memory:
    """An account whose member `ana` manages members and roles, and has this grant on papers."""
    world = memory(CATALOG)
    world.store.rows[ACCOUNT] = replace(
        world.store.rows[ACCOUNT], roles=(custom({**MANAGES, "paper": {"view": view} | more}),)
    )
    world.add("ana", ROLE)
    return world


def custom(grants: Any) -> CustomRole:
    return CustomRole(
        role_id=ROLE,
        name="Clerk",
        description="",
        grants=grants_as_json(CATALOG.catalog.parse_grants(grants)),
        created_by=user_id("owner"),
        created_at=START,
        updated_at=START,
    )


def access_of(world: Memory) -> AccountAccess:
    account = world.store.rows[ACCOUNT]
    rows = AccessRows(
        account=account,
        catalog=CATALOG.with_roles({role.role_id: role for role in account.roles}),
        membership=world.store.memberships[user_id("ana")],
        overrides=[],
    )
    return authorize(rows, "role:manage", now=START)


@pytest.mark.rule("B5")
@pytest.mark.parametrize(
    ("held", "given", "allowed"),
    [
        ("all", ACTIVE, True),
        (ACTIVE, ACTIVE, True),
        (ACTIVE, OWN_ACTIVE, True),
        (ACTIVE, "self", False),
        (ACTIVE, "all", False),
        (ACTIVE, SECURE, False),
        ([ACTIVE, SECURE], SECURE, True),
        ("self", OWN_ACTIVE, True),
        ("self", ACTIVE, False),
    ],
)
def test_a_role_with_a_condition_needs_that_condition_or_none(
    held: Any, given: Any, *, allowed: bool
) -> None:
    access = access_of(world_with(held))
    grants = {**VIEWS, "paper": {"view": given}}

    def made() -> CustomRole:
        role_id = RoleId("rol_" + "0d" * 16)
        return create(access, role_id=role_id, name="New", description="", grants=grants, limit=9)[
            1
        ]

    if allowed:
        assert made().grants["paper"] == {"view": written_grant(read_grant(given))}
        return
    with pytest.raises(GrantsExceeded, match="paper:view"):
        made()


@pytest.mark.parametrize(
    ("before", "after", "gains", "loses"),
    [
        (None, ACTIVE, True, False),
        (ACTIVE, None, False, True),
        (ACTIVE, "all", True, False),
        ("all", ACTIVE, False, True),
        (ACTIVE, SECURE, True, True),
        (ACTIVE, [ACTIVE, SECURE], True, False),
        (ACTIVE, OWN_ACTIVE, False, True),
        ("self", ACTIVE, True, True),
    ],
)
def test_a_change_of_a_condition_is_seen_as_gain_and_loss(
    before: Any, after: Any, *, gains: bool, loses: bool
) -> None:
    states = []
    for grant in (before, after):
        world = world_with("self", **({} if grant is None else {"edit": grant}))
        account = world.store.rows[ACCOUNT]
        policy = account_policy(account, [*world.store.memberships.values()], [], [])
        states.append(policy.state(CATALOG))
    impacts = impact_of(*states, other_roles=(), with_factor=(), now=0)
    [impact] = [one for one in impacts if one.user_id == user_id("ana")]
    edited = LevelChange(
        "paper",
        "edit",
        None if before is None else read_grant(before),
        None if after is None else read_grant(after),
    )
    assert edited in impact.everywhere
    assert (edited.gains, edited.loses) == (gains, loses)


def test_a_grant_that_stays_the_same_changes_nothing() -> None:
    one, other = (
        account_policy(
            world.store.rows[ACCOUNT], [*world.store.memberships.values()], [], []
        ).state(CATALOG)
        for world in (world_with(ACTIVE), world_with([ACTIVE, ACTIVE]))
    )
    assert impact_of(one, other, other_roles=(), with_factor=(), now=0) == []


def guardrail(kind: GuardrailKind, minimum: int | None = None) -> Guardrail:
    rule = GuardrailRule(
        kind=kind,
        permission="paper:view",
        roles=() if kind is GuardrailKind.MINIMUM_HOLDERS else (str(ROLE),),
        project_id=None,
        minimum=minimum,
    )
    return Guardrail(
        guardrail_id=GuardrailId("grd_" + "0e" * 16),
        name="Papers",
        rule=rule,
        created_by=user_id("owner"),
        created_at=START,
    )


def held(view: Any) -> Held:
    world = world_with(view)
    policy = account_policy(world.store.rows[ACCOUNT], [*world.store.memberships.values()], [], [])
    return Held(policy=policy, state=policy.state(CATALOG), now=0)


@pytest.mark.rule("B10")
def test_a_conditional_holder_is_a_holder_where_none_may_be() -> None:
    never = guardrail(GuardrailKind.NEVER)
    [violation] = present(never, held(ACTIVE))
    assert violation.user_id == user_id("ana")
    wider = [(OWN_ACTIVE, "self"), ("self", ACTIVE), (ACTIVE, "all")]
    for before, after in wider:
        assert added([never], held(before), held(after)), (before, after)
        assert not added([never], held(after), held(before)), (before, after)


@pytest.mark.rule("B10")
def test_a_conditional_holder_does_not_count_where_some_must_hold() -> None:
    one = guardrail(GuardrailKind.MINIMUM_HOLDERS, 1)
    assert not present(one, held("all"))
    [violation] = present(one, held(ACTIVE))
    assert violation.holders == 0


@pytest.mark.rule("B5")
@pytest.mark.parametrize(
    ("giver", "refused"), [("all", False), (ACTIVE, False), (OWN_ACTIVE, True), (SECURE, True)]
)
def test_a_conditional_grant_on_own_resources_counts_when_they_are_given(
    giver: Any, *, refused: bool
) -> None:
    world = world_with(giver)
    account = world.store.rows[ACCOUNT]
    reader = replace(
        custom({**VIEWS, "paper": {"view": OWN_ACTIVE}}),
        role_id=RoleId("rol_" + "0f" * 16),
        name="Reader",
    )
    world.store.rows[ACCOUNT] = replace(account, roles=(*account.roles, reader))
    world.add("rob", reader.role_id)
    world.add("lea", "viewer")
    made = world.register("p-1", owner="lea")
    del world.store.registered[made.key]
    paper = replace(made, type="paper")
    world.store.registered[paper.key] = paper
    done = resources.reassign(
        world.ctx,
        world.request("ana", "member:remove"),
        wanted=ResourceFilter(),
        from_user_id=user_id("lea"),
        to_user_id=user_id("rob"),
    )
    if refused:
        with pytest.raises(GrantsExceeded, match="paper:view"):
            finished(done)
        return
    assert finished(done).result.reassigned == 1


def translated(grants: Any, **levels: str) -> Any:
    translator = Translator(CATALOG, CATALOG, CatalogMapping(levels=levels))
    found = translator.grants(grants, used_by="a role")
    translator.finish()
    return found, translator.given_levels


def test_a_move_of_the_catalog_keeps_conditions() -> None:
    grants = {"paper": {"view": [ACTIVE, SECURE]}}
    assert translated(grants) == ({"paper": {"view": read_grant([ACTIVE, SECURE])}}, {})


def test_two_levels_that_become_one_keep_the_narrower_condition() -> None:
    both = {"paper": {"view": "all", "edit": ACTIVE}}
    found, given = translated(both, **{"paper:edit": "paper:view"})
    assert (found, given) == ({"paper": {"view": read_grant(ACTIVE)}},) * 2


@pytest.mark.parametrize(
    ("grants", "levels"),
    [
        ({"paper": {"view": SECURE, "edit": ACTIVE}}, {"paper:edit": "paper:view"}),
        ({"paper": {"view": ACTIVE}}, {"paper:view": "member:view"}),
        ({"paper": {"view": OWN_ACTIVE}}, {"paper:view": "paper:print"}),
    ],
)
def test_a_condition_without_a_place_needs_a_mapping(grants: Any, levels: Any) -> None:
    with pytest.raises(MappingNeeded):
        translated(grants, **levels)


def test_the_conditions_of_an_override_have_a_size() -> None:
    many = {"path": "context.x", "in": [f"{number:0250}" for number in range(60)]}
    assert len(str(many)) < MAX_OVERRIDE_BYTES
    with pytest.raises(Invalid) as caught:
        parse_grants(CATALOG.catalog, {"*": {"*": {"scope": "all", "when": many}}})
    assert "written out" in str(caught.value.errors)


def test_a_condition_that_names_another_value_makes_another_role() -> None:
    def role_at(level: Any) -> CustomRole:
        when = [{"path": "context.level", "equals": level}]
        return custom({"paper": {"view": {"scope": "all", "when": when}}})

    one, true = (role_at(level) for level in (1, True))
    assert edited(one, now=START, grants=one.grants) is one
    assert edited(one, now=START, grants=true.grants) is not one
