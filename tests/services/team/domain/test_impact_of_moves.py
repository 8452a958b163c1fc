"""What a preview of a move to another catalog says is gained and lost: permissions, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rolecall import CompiledCatalog, load_catalog
from services.team.domain.account_policy import account_policy
from services.team.domain.impact import Changes, impact_of
from tests.services.team.memory import ACCOUNT, memory, user_id
from tests.services.team.print_shop import SHOP, entry, version

if TYPE_CHECKING:
    from collections.abc import Callable

STANDARD = CompiledCatalog(load_catalog("standard"))


def changes(before: tuple[CompiledCatalog, str], after: tuple[CompiledCatalog, str]) -> Changes:
    """What changes for a member who has this role of this catalog, and then that one."""
    states = []
    for catalog, role in (before, after):
        world = memory(catalog)
        if role != "owner":
            world.add("ana", role)
        members = [*world.store.memberships.values()]
        states.append(account_policy(world.store.rows[ACCOUNT], members, [], []).state(catalog))
    concerned = user_id("owner" if before[1] == "owner" else "ana")
    found = impact_of(*states, other_roles=(), with_factor=(), now=0)
    return next((one.everywhere for one in found if one.user_id == concerned), ())


def told(found: Changes) -> dict[str, set[str]]:
    return {
        "gained": {f"{one.entry}:{one.level}" for one in found if one.gains},
        "lost": {f"{one.entry}:{one.level}" for one in found if one.loses},
    }


def test_a_permission_that_another_level_carries_is_not_lost() -> None:
    """Both owners invite, change and remove members, under names of two catalogs."""
    there = told(changes((STANDARD, "owner"), (SHOP, "owner")))
    back = told(changes((SHOP, "owner"), (STANDARD, "owner")))
    assert there["lost"] == back["gained"]
    assert there["gained"] == back["lost"]
    for kept in ("member:invite", "member:update", "member:remove", "audit_log:view"):
        assert kept not in there["lost"]
        assert kept not in back["gained"]
    assert not {"staff:hire", "staff:roster"} & there["gained"]
    assert {"press:run", "invoice:issue"} <= there["gained"]


def bookkeepers_remove(content: dict[str, Any]) -> None:
    entry(content, "staff")["levels"][1]["permissions"].remove("member:remove")
    entry(content, "invoice")["levels"][1]["permissions"] = ["member:remove"]


def signs_no_proofs(content: dict[str, Any]) -> None:
    entry(content, "proof")["levels"][1]["actions"] = ["reject"]


@pytest.mark.parametrize(
    ("change", "level"), [(bookkeepers_remove, "staff:hire"), (signs_no_proofs, "proof:approve")]
)
def test_a_level_of_the_same_name_that_carries_less_is_lost(
    change: Callable[[dict[str, Any]], None], level: str
) -> None:
    less = version(change)
    assert told(changes((SHOP, "foreman"), (less, "foreman"))) == {"gained": set(), "lost": {level}}
    assert told(changes((less, "foreman"), (SHOP, "foreman"))) == {"gained": {level}, "lost": set()}


def test_a_level_of_the_same_name_for_own_things_alone_says_what_is_left() -> None:
    def own_alone(content: dict[str, Any]) -> None:
        foreman = next(one for one in content["roles"] if one["id"] == "foreman")
        foreman["grants"]["api_token"] = {"view": "all", "manage": "self"}

    [change] = changes((SHOP, "foreman"), (version(own_alone), "foreman"))
    assert (change.entry, change.level, change.before, change.after) == (
        "api_token",
        "manage",
        "all",
        "self",
    )
