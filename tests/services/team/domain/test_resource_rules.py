"""Who may give resources to whom, over rows in memory, and how a change is told in facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from rolecall import CompiledCatalog, load_catalog
from services.team.domain import resource_facts
from services.team.domain.accounts import OwnerOnly
from services.team.domain.authority import GrantsExceeded
from services.team.domain.custom_roles import CustomRole
from services.team.domain.overrides import ProjectOverride, parse_grants
from services.team.domain.resource_facts import MAX_CONTENT_BYTES, MAX_RESOURCES
from services.team.domain.resource_rules import MAX_REASSIGNED, TooManyToReassign
from services.team.domain.resources import RegisteredResource, ResourceChange, ResourceFilter
from services.team.routes.resource_bodies import ReassignResources
from services.team.use_cases import members, resources
from shared.contracts.facts import ResourceRef
from shared.contracts.team_resources import ResourcesReassigned
from shared.ids import RoleId
from tests.services.team.memory import ACCOUNT, PROJECT, START, Memory, finished, memory, user_id

STANDARD = CompiledCatalog(load_catalog("standard"))
REMOVES = {"account": {"view": "all"}, "member": {"view": "all", "remove": "all"}}
OWN = {"instance": {"write": "self"}}


def world_with(grants: dict[str, dict[str, str]]) -> Memory:
    """An account whose member `remover` has these grants beside the removal of members."""
    world = memory(STANDARD)
    role = CustomRole(
        role_id=RoleId("rol_remover"),
        name="Remover",
        description="",
        grants={**REMOVES, **grants},
        created_by=user_id("owner"),
        created_at=START,
        updated_at=START,
    )
    world.store.rows[ACCOUNT] = replace(world.store.rows[ACCOUNT], roles=(role,))
    for name, of in (("remover", role.role_id), ("basic", "basic"), ("viewer", "viewer")):
        world.add(name, of)
    world.add("leaver", "basic")
    return world


def reassign(world: Memory, *, by: str, of: str, to: str) -> int:
    done = resources.reassign(
        world.ctx,
        world.request(by, "member:remove"),
        wanted=ResourceFilter(),
        from_user_id=user_id(of),
        to_user_id=user_id(to),
    )
    return finished(done).result.reassigned


ALL = {"instance": {"write": "all"}}
# what the remover holds, who calls, whose resource, who gets it, whether that is refused
CASES = [
    ({}, "remover", "leaver", "viewer", False),
    ({}, "remover", "leaver", "basic", True),
    (OWN, "remover", "leaver", "remover", True),
    (OWN, "remover", "leaver", "basic", True),
    (OWN, "remover", "remover", "basic", False),
    ({"instance": {"view": "all"}}, "remover", "remover", "basic", True),
    ({"instance": {"view": "all"}}, "remover", "leaver", "basic", True),
    (ALL, "remover", "leaver", "basic", False),
    ({}, "owner", "leaver", "basic", False),
    ({}, "owner", "leaver", "remover", False),
]


@pytest.mark.rule("B5")
@pytest.mark.parametrize(("grants", "by", "of", "to", "refused"), CASES)
def test_a_member_gives_no_more_than_they_hold_by_reassigning(
    grants: dict[str, dict[str, str]], by: str, of: str, to: str, *, refused: bool
) -> None:
    """The receiver may do to the resource what their role allows for own ones."""
    world = world_with(grants)
    world.register("i-1", owner=of)
    if refused:
        with pytest.raises(GrantsExceeded, match="instance"):
            reassign(world, by=by, of=of, to=to)
        assert world.store.registered["instance", "i-1"].owner_id == user_id(of)
        return
    assert reassign(world, by=by, of=of, to=to) == 1
    assert world.store.registered["instance", "i-1"].owner_id == user_id(to)


@pytest.mark.rule("B5")
def test_resources_of_the_owner_are_given_away_by_the_owner_alone() -> None:
    world = world_with(ALL)
    world.register("i-1", owner="owner")
    with pytest.raises(OwnerOnly):
        reassign(world, by="remover", of="owner", to="basic")
    assert reassign(world, by="owner", of="owner", to="basic") == 1


def test_each_type_of_a_reassignment_is_named_once() -> None:
    users = {"from_user_id": "usr_" + "0" * 32, "to_user_id": "usr_" + "1" * 32}
    named = ReassignResources.model_validate({**users, "types": ["bucket", "instance"]})
    assert named.types == ["bucket", "instance"]
    with pytest.raises(ValidationError, match="there twice"):
        ReassignResources.model_validate({**users, "types": ["bucket", "bucket"]})
    schema = ReassignResources.model_json_schema()["properties"]["types"]["anyOf"][0]
    assert schema["uniqueItems"] is True


@pytest.mark.rule("B5")
def test_a_removal_gives_no_more_than_the_remover_holds() -> None:
    world = world_with(OWN)
    world.register("i-1", owner="leaver")
    removal = members.remove(
        world.ctx,
        world.request("remover", "member:remove"),
        user_id=user_id("leaver"),
        reassign_to=user_id("remover"),
    )
    with pytest.raises(GrantsExceeded):
        finished(removal)
    assert user_id("leaver") in world.store.memberships


@pytest.mark.rule("B5", "Ci9")
def test_an_override_of_the_giver_counts_in_the_project_of_the_resource() -> None:
    world = world_with(ALL)
    made = world.register("i-1", owner="leaver")
    world.store.registered[made.key] = replace(made, project_id=PROJECT)
    remover = world.store.memberships[user_id("remover")]
    world.store.overridden[PROJECT, remover.user_id] = ProjectOverride(
        account_id=ACCOUNT,
        project_id=PROJECT,
        user_id=remover.user_id,
        membership_id=remover.membership_id,
        grants=parse_grants(STANDARD.catalog, {"instance": {"view": "all"}}),
        expires_at=None,
        given_by=user_id("owner"),
        given_at=START,
    )
    with pytest.raises(GrantsExceeded):
        reassign(world, by="remover", of="leaver", to="basic")


HOUR = timedelta(hours=1)
# the receiver's role, their override there and how long it lasts, whether they gain by their role
RECEIVERS = [
    ("basic", {}, None, False),
    ("basic", {}, HOUR, True),
    ("basic", {}, -HOUR, True),
    ("viewer", {}, None, False),
    ("viewer", {}, HOUR, False),
    ("viewer", OWN, None, True),
    ("viewer", OWN, HOUR, True),
    ("viewer", OWN, -HOUR, False),
]


@pytest.mark.rule("B5", "Ci9")
@pytest.mark.parametrize(("role", "grants", "lasts", "gains"), RECEIVERS)
def test_what_a_receiver_has_after_their_override_counts_as_given(
    role: str, grants: dict[str, dict[str, str]], lasts: timedelta | None, *, gains: bool
) -> None:
    world = world_with({})
    made = world.register("i-1", owner="leaver")
    world.store.registered[made.key] = replace(made, project_id=PROJECT)
    receiver = world.store.memberships[user_id(role)]
    world.store.overridden[PROJECT, receiver.user_id] = ProjectOverride(
        account_id=ACCOUNT,
        project_id=PROJECT,
        user_id=receiver.user_id,
        membership_id=receiver.membership_id,
        grants=parse_grants(STANDARD.catalog, grants),
        expires_at=None if lasts is None else START + lasts,
        given_by=user_id("owner"),
        given_at=START,
    )
    if gains:
        with pytest.raises(GrantsExceeded, match="instance"):
            reassign(world, by="remover", of="leaver", to=role)
        return
    assert reassign(world, by="remover", of="leaver", to=role) == 1


def test_more_than_a_removal_can_reassign_is_done_in_steps() -> None:
    world = world_with({})
    for number in range(MAX_REASSIGNED + 100):
        world.register(f"i-{number:05}", owner="leaver")
    removal = {"user_id": user_id("leaver"), "reassign_to": user_id("owner")}
    request = world.request("owner", "member:remove")
    with pytest.raises(TooManyToReassign):
        finished(members.remove(world.ctx, request, **removal))
    step = resources.reassign(
        world.ctx,
        request,
        wanted=ResourceFilter(),
        from_user_id=user_id("leaver"),
        to_user_id=user_id("owner"),
    )
    done = finished(step).result
    assert (done.reassigned, done.remaining) == (MAX_REASSIGNED, 100)
    payloads = [fact.payload for fact in world.journal.facts]
    told = [one.email for one in payloads if isinstance(one, ResourcesReassigned)]
    assert len(told) == len(payloads)
    assert told == ["owner@example.com", *[""] * (len(told) - 1)]
    assert len(told) == MAX_REASSIGNED // MAX_RESOURCES
    removed = finished(members.remove(world.ctx, request, **removal)).result
    assert (removed.kept, removed.reassigned) == (0, 100)


@pytest.mark.parametrize("size", [0, 9])
def test_facts_of_many_resources_are_bounded_and_complete(size: int) -> None:
    properties = {f"key{number}": "ü" * 100 for number in range(size)}
    changes = [
        ResourceChange(
            before=None,
            after=RegisteredResource(
                account_id=ACCOUNT,
                type="instance",
                rid=f"i-{number}",
                properties=properties,
                registered_at=START,
            ),
        )
        for number in range(1_000)
    ]
    facts = resource_facts.registered(changes, account=ResourceRef(type="account", id=ACCOUNT))
    told = [one.id for fact in facts for one in fact.policy_objects]
    assert told == [f"instance/i-{number}" for number in range(1_000)]
    assert max(len(fact.policy_objects) for fact in facts) <= MAX_RESOURCES
    sizes = [len(str(fact.after)) + len(fact.payload.model_dump_json()) for fact in facts]
    assert max(sizes) < MAX_CONTENT_BYTES
