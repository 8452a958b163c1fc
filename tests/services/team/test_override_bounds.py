"""How many overrides an account has, and how many of them a comparison reads."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import CompiledCatalog, Scope, load_catalog
from services.team.domain.custom_roles import CustomRole
from services.team.domain.guardrail_violations import GuardrailViolated
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from shared.ids import GuardrailId, RoleId, new_id
from shared.problems import Refusal
from tests.services.team.memory import ACCOUNT, PROJECT, START, memory, user_id
from tests.services.team.running import running
from tests.services.team.small_accounts import made, previewed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.services.team.memory import Memory

LIMIT = 3
STANDARD = CompiledCatalog(load_catalog("standard"))
NONE: dict[str, Any] = {"grants": {}}


async def test_an_account_has_a_bounded_number_of_overrides(
    mongo_url: str, database_name: str
) -> None:
    """Also when many are set at once, and over all projects."""
    async with running(mongo_url, database_name, overrides_per_account=LIMIT) as team:
        account, other = await team.account(), await team.account()
        owner = account.owner
        places = []
        for number in range(2):
            body = {"name": f"prod{number}"}
            project = (await owner.send("POST", f"{account.path}/projects", body)).expect(201)
            places.append(f"{account.path}/projects/{project['id']}/overrides")
        guests = [await account.join("viewer") for _ in range(LIMIT)]
        paths = [f"{place}/{guest.user_id}" for place in places for guest in guests]

        answers = await asyncio.gather(*(owner.send("PUT", path, NONE) for path in paths))

        assert sorted(answer.status for answer in answers) == [200] * LIMIT + [409] * LIMIT
        full = next(answer for answer in answers if answer.status == 409)
        assert (full.code, full.body["limit"]) == ("override-limit", LIMIT)
        assert f"{LIMIT} overrides at most, over all of its projects" in full.body["detail"]
        there = [path for path, answer in zip(paths, answers, strict=True) if answer.status == 200]
        refused = next(path for path in paths if path not in there)
        write = {"grants": {"instance": {"write": "all"}}}
        (await owner.send("PUT", there[0], write)).expect(200)
        (await owner.send("DELETE", there[0])).expect(204)
        (await owner.send("PUT", refused, NONE)).expect(200)
        project = (await other.owner.send("POST", f"{other.path}/projects", body)).expect(201)
        guest = await other.join("viewer")
        place = f"{other.path}/projects/{project['id']}/overrides/{guest.user_id}"
        (await other.owner.send("PUT", place, NONE)).expect(200)


NO_BILLING = GuardrailRule(
    kind=GuardrailKind.NEVER,
    permission="billing:manage",
    roles=("viewer",),
    project_id=None,
    minimum=None,
)
"""It looks at the overrides of all projects."""
TWO_WRITERS = GuardrailRule(
    kind=GuardrailKind.MINIMUM_HOLDERS,
    permission="instance:write",
    roles=(),
    project_id=PROJECT,
    minimum=2,
)


def guarded(rule: GuardrailRule = NO_BILLING) -> Memory:
    """An account with members and a rule."""
    world = memory(STANDARD)
    world.add("ana", "viewer")
    guardrail = Guardrail(
        guardrail_id=GuardrailId(new_id("grd")),
        name="The rule",
        rule=rule,
        created_by=user_id("owner"),
        created_at=START,
    )
    world.store.rows[ACCOUNT] = replace(world.store.rows[ACCOUNT], guardrails=(guardrail,))
    return world


@pytest.mark.parametrize("run", [made, previewed])
def test_a_change_of_one_member_does_not_read_all_overrides(run: Callable[..., Any]) -> None:
    world, ana = guarded(), {"user_id": user_id("ana")}
    place = {"project_id": PROJECT, **ana}
    for change in (
        {"type": "override_set", **place, **NONE},
        {"type": "member_change", **ana, "role": "basic"},
        {"type": "member_suspension", **ana},
        {"type": "member_removal", **ana},
    ):
        assert not isinstance(run(world, "owner", change), Refusal), change
    assert world.store.reads["all overrides"] == 0


@pytest.mark.rule("B10")
@pytest.mark.parametrize(
    ("role", "grants", "refused"),
    [("developer", {}, True), ("viewer", {"instance": {"write": "all"}}, False)],
)
def test_a_count_of_holders_heeds_the_overrides_of_others(
    role: str, grants: dict[str, Any], *, refused: bool
) -> None:
    """One who holds less in the project than by the role does not count, and one with more does."""
    world = guarded(TWO_WRITERS)
    world.add("bea", role)
    world.add("dan", "developer")
    change = {"type": "override_set", "project_id": PROJECT, "user_id": user_id("bea")}
    assert not isinstance(made(world, "owner", {**change, "grants": grants}), Refusal)
    demotion = {"type": "member_change", "user_id": user_id("dan"), "role": "viewer"}

    shown, done = previewed(world, "owner", demotion), made(world, "owner", demotion)

    assert bool(shown.violations) is isinstance(done, GuardrailViolated) is refused


@pytest.mark.parametrize("run", [made, previewed])
def test_a_change_for_everyone_reads_all_overrides(run: Callable[..., Any]) -> None:
    world = guarded()
    grants = {"account": {"view": Scope.ALL}}
    role = CustomRole(
        role_id=RoleId("role_1"),
        name="Watch",
        description="",
        grants=grants,
        created_by=user_id("owner"),
        created_at=START,
        updated_at=START,
    )
    world.store.rows[ACCOUNT] = replace(world.store.rows[ACCOUNT], roles=(role,))
    world.add("bea", "role_1")
    change = {
        "type": "role_edit",
        "role_id": "role_1",
        "grants": {"account": {"view": "all"}, "instance": {"view": "all"}},
    }
    assert not isinstance(run(world, "owner", change), Refusal)
    assert world.store.reads["all overrides"] > 0
