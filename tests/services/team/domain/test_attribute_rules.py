"""Who may change an attribute that a condition tests (`B5`), and what a preview says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import Catalog, CompiledCatalog, Scope, grant_text
from services.team.domain.account_access import AccessRows, AccountAccess, authorize
from services.team.domain.account_policy import account_policy
from services.team.domain.authority import EndExceeded, GrantsExceeded
from services.team.domain.impact import impact_of
from services.team.domain.member_rules import MemberChange, change
from services.team.domain.overrides import ProjectOverride
from tests.sdk.papers import PAPER, content
from tests.services.team.memory import ACCOUNT, PROJECT, START, Memory, memory, user_id

if TYPE_CHECKING:
    from services.team.domain.members import Attribute, Membership
    from shared.problems import Refusal

RANK, STATUS = "subject.properties.rank", "resource.properties.status"
HIGH = {"scope": "all", "when": {"path": RANK, "equals": "high"}}
OPEN_HIGH = {
    "scope": "all",
    "when": [{"path": RANK, "equals": "high"}, {"path": STATUS, "equals": "open"}],
}
OPEN = {"scope": "all", "when": {"path": STATUS, "equals": "open"}}
SAME_TEAM = {
    "scope": "all",
    "when": {"path": "resource.properties.team", "same_as": "subject.properties.rank"},
}
NOT_LOW = {"scope": "all", "when": {"not": {"path": RANK, "equals": "low"}}}
MANAGES = {"account": {"view": "all"}, "member": {"*": "all"}}


def world_of(clerk: Any = None, **roles: Any) -> Memory:
    """An account whose catalog has these roles; each but `clerk` manages members, too."""
    mapping = content(**({} if clerk is None else {"paper": {"print": clerk}}))
    mapping["sections"][0]["entries"] = [PAPER | {"project_scoped": True}]
    for name, grant in roles.items():
        papers = {} if grant is None else {"paper": {"print": grant}}
        mapping["roles"].append({"id": name, "title": name, "grants": MANAGES | papers})
    world = memory(CompiledCatalog(Catalog.from_mapping(mapping)))
    world.add("rob", "clerk")
    for name in roles:
        world.add(name, name)
    return world


def member_of(world: Memory, name: str) -> Membership:
    return world.store.memberships[user_id(name)]


def access_of(world: Memory, name: str, *overrides: ProjectOverride) -> AccountAccess:
    account = world.store.rows[ACCOUNT]
    catalog = world.store.compiled[account.catalog]
    member = member_of(world, name)
    rows = AccessRows(account=account, catalog=catalog, membership=member, overrides=overrides)
    return authorize(rows, "member:update", now=START)


def override_of(world: Memory, name: str, grant: Any, *, ends: int | None = None) -> Any:
    account = world.store.rows[ACCOUNT]
    catalog = world.store.compiled[account.catalog].catalog
    return ProjectOverride(
        account_id=ACCOUNT,
        project_id=PROJECT,
        user_id=user_id(name),
        membership_id=member_of(world, name).membership_id,
        grants=catalog.parse_grants({"paper": {"print": grant}}, within_project=True),
        expires_at=None if ends is None else START + timedelta(days=ends),
        given_by=user_id("owner"),
        given_at=START,
    )


def set_by(
    world: Memory,
    actor: str,
    whom: str,
    *,
    before: dict[str, Attribute] | None = None,
    after: dict[str, Attribute] | None = None,
    overrides: tuple[ProjectOverride, ...] = (),
) -> Membership:
    """The member after the change of attributes, by default to the rank that conditions test."""
    member = replace(member_of(world, whom), attributes=before or {})
    world.store.memberships[member.user_id] = member
    wanted = MemberChange(attributes={"rank": "high"} if after is None else after)
    mine = [one for one in overrides if one.user_id == user_id(actor)]
    theirs = [one for one in overrides if one.user_id == member.user_id]
    access = access_of(world, actor, *mine)
    return change(access, member, theirs, wanted, all_overrides=overrides)[0]


@pytest.mark.rule("B5")
@pytest.mark.parametrize(
    ("conditional", "held", "allowed"),
    [
        (HIGH, "all", True),
        (HIGH, None, False),
        (HIGH, HIGH, False),
        (HIGH, OPEN, False),
        (OPEN_HIGH, OPEN, True),
        (OPEN_HIGH, HIGH, False),
        (SAME_TEAM, None, False),
        (SAME_TEAM, SAME_TEAM, False),
        (NOT_LOW, None, False),
        ([HIGH, OPEN], OPEN, False),
        (OPEN, None, True),
        ("all", None, True),
    ],
)
@pytest.mark.parametrize("whom", ["rob", "lead"])
def test_an_attribute_of_a_condition_needs_what_it_decides(
    conditional: Any, held: Any, whom: str, *, allowed: bool
) -> None:
    world = world_of(conditional, lead=held)
    if allowed:
        assert set_by(world, "lead", whom).attributes == {"rank": "high"}
        return
    with pytest.raises(GrantsExceeded, match="paper:print"):
        set_by(world, "lead", whom)


@pytest.mark.rule("B5")
@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ({}, {"color": "red"}, True),
        ({"rank": 1}, {"rank": 1, "color": "red"}, True),
        ({"rank": 1}, {"rank": True}, False),
        ({"rank": "low"}, {}, False),
        ({}, {"rank": "low"}, False),
    ],
)
def test_only_changed_attributes_that_a_condition_names_are_bound(
    before: dict[str, Attribute], after: dict[str, Attribute], *, allowed: bool
) -> None:
    world = world_of(HIGH, lead=None)
    if allowed:
        assert set_by(world, "lead", "rob", before=before, after=after).attributes == after
        return
    with pytest.raises(GrantsExceeded):
        set_by(world, "lead", "rob", before=before, after=after)


@pytest.mark.rule("B5")
def test_a_member_who_meets_the_condition_gives_it_to_others() -> None:
    world = world_of(None, lead=HIGH)
    cleared = replace(member_of(world, "lead"), attributes={"rank": "high"})
    world.store.memberships[cleared.user_id] = cleared
    assert set_by(world, "lead", "rob").attributes == {"rank": "high"}
    lost = replace(cleared, attributes={"rank": "low"})
    world.store.memberships[lost.user_id] = lost
    with pytest.raises(GrantsExceeded):
        set_by(world, "lead", "lead", before={"rank": "low"})


@pytest.mark.rule("B5")
@pytest.mark.parametrize("whose", ["rob", "lead", "third"])
@pytest.mark.parametrize(("ends", "allowed"), [(None, False), (1, False), (-1, True)])
def test_overrides_of_every_member_count_also_one_that_is_passed_on(
    whose: str, ends: int | None, *, allowed: bool
) -> None:
    world = world_of(None, lead=None, third=None)
    override = override_of(world, whose, HIGH, ends=ends)
    if allowed:
        assert set_by(world, "lead", "rob", overrides=(override,)).attributes
        return
    with pytest.raises(GrantsExceeded):
        set_by(world, "lead", "rob", overrides=(override,))


@pytest.mark.parametrize("ends", [None, -1])
def test_an_override_in_words_of_another_catalog_gives_nothing(ends: int | None) -> None:
    world = world_of(None, lead=None, third=None)
    override = override_of(world, "third", HIGH, ends=ends)
    left = replace(override, grants={"leaflet": override.grants["paper"]})
    assert set_by(world, "lead", "rob", overrides=(left,)).attributes == {"rank": "high"}


@pytest.mark.rule("B4", "B5")
@pytest.mark.parametrize(
    ("end", "in_override", "refused"),
    [(None, False, EndExceeded), (None, True, EndExceeded), (9, False, None), (9, True, None)],
)
def test_no_attribute_decides_for_longer_than_its_setter_stays(
    end: int | None, refused: type[Refusal] | None, *, in_override: bool
) -> None:
    world = world_of(None if in_override else HIGH, short="all")
    for name, days in (("short", 10), ("rob", end)):
        expires_at = None if days is None else START + timedelta(days=days)
        member = replace(member_of(world, name), expires_at=expires_at)
        world.store.memberships[member.user_id] = member
    overrides = (override_of(world, "rob", HIGH),) if in_override else ()
    if refused is None:
        assert set_by(world, "short", "rob", overrides=overrides).attributes
        return
    with pytest.raises(refused):
        set_by(world, "short", "rob", overrides=overrides)


@pytest.mark.rule("B9")
@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ({}, {"rank": "high"}, ('all when subject.properties.rank is "high"', "all")),
        ({"rank": "low"}, {"rank": "high"}, (None, "all")),
        ({"rank": "high"}, {"rank": "low"}, ("all", None)),
        ({"rank": "low"}, {"rank": "middle"}, None),
        ({"rank": "high"}, {"rank": "high", "color": "red"}, None),
    ],
)
@pytest.mark.parametrize("in_project", [False, True])
def test_a_preview_says_what_a_change_of_attributes_decides(
    before: dict[str, Attribute], after: dict[str, Attribute], seen: Any, *, in_project: bool
) -> None:
    world = world_of(None if in_project else HIGH, lead=None)
    account, rob = world.store.rows[ACCOUNT], member_of(world, "rob")
    overrides = [override_of(world, "rob", HIGH)] if in_project else []
    projects = [*world.store.known_projects.values()]
    states = [
        account_policy(account, [replace(rob, attributes=one)], projects, overrides).state(
            world.store.compiled[account.catalog]
        )
        for one in (before, after)
    ]
    impacts = impact_of(*states, other_roles=(), with_factor=(), now=0)
    changes = [one.in_projects[PROJECT] if in_project else one.everywhere for one in impacts]
    assert changes == [] if seen is None else len(changes) == 1
    for [found] in changes:
        texts = [None if one is None else grant_text(one) for one in (found.before, found.after)]
        assert tuple(texts) == seen
        assert (found.gains, found.loses) == (found.after is Scope.ALL, found.before is Scope.ALL)
