"""After any accepted changes, no guardrail is violated more than before (`B10`).

The model counts by `decide` alone: every rule, every member and every place.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rolecall import MembershipStatus
from services.team.domain.guardrails import GuardrailKind, GuardrailRule
from shared.problems import Refusal
from tests.services.team.memory import ACCOUNT
from tests.services.team.small_accounts import (
    CUSTOM,
    EVERYONE,
    KINDS,
    Scopes,
    Small,
    change_of,
    made,
    rules,
    scopes,
    small_accounts,
)

if TYPE_CHECKING:
    from services.team.domain.guardrails import Guardrail
    from tests.services.team.memory import Memory

REACH = {None: 0, "self": 1, "all": 2}
OUTCOMES: Counter[str] = Counter()
Measures = dict[tuple[int, str, str | None], int]
"""Number of the rule, member and place -> how bad it is there; an empty member: too few."""


def measures(
    world: Memory, held: Scopes, guardrails: tuple[Guardrail, ...] | None = None
) -> Measures:
    found: Measures = {}
    now = world.clock.now()
    active = {
        member.user_id: member.role
        for member in world.store.memberships.values()
        if member.status is MembershipStatus.ACTIVE
        and (member.expires_at is None or member.expires_at > now)
    }
    for number, guardrail in enumerate(guardrails or world.store.rows[ACCOUNT].guardrails):
        rule = guardrail.rule
        if rule.project_id is not None and rule.project_id not in world.store.known_projects:
            continue
        if rule.kind is GuardrailKind.MINIMUM_HOLDERS:
            found[number, "", None] = max((rule.minimum or 0) - holders(rule, active, held), 0)
            continue
        places = [rule.project_id] if rule.project_id else [None, *world.store.known_projects]
        for user_id, role in active.items():
            bound = role in rule.roles
            if bound is (rule.kind is GuardrailKind.ONLY_ROLES):
                continue
            for place in places:
                scope = held.get((user_id, place, rule.permission or ""))
                found[number, user_id, place] = REACH[scope]
    return found


def worsened(before: Measures, after: Measures, projects: set[str]) -> Measures:
    """The measures that are larger than before, at places that were there."""
    return {
        key: measure
        for key, measure in after.items()
        if measure > before.get(key, 0) and (key[2] is None or key[2] in projects)
    }


def holders(rule: GuardrailRule, active: dict[Any, str], held: Scopes) -> int:
    if rule.permission is None:
        return sum(role in rule.roles for role in active.values())
    return sum(held.get((user, rule.project_id, rule.permission)) == "all" for user in active)


def held_by_members(world: Memory) -> Scopes:
    """What guardrails count: what members hold, whether or not they have a second factor yet."""
    return scopes(world, with_factor=True)


def without_guardrails(world: Memory, actor: str, change: dict[str, Any]) -> Measures:
    """The measures after the change, if no guardrail refused it; nothing is kept."""
    store, account = world.store, world.store.rows[ACCOUNT]
    with suppress(Undone), store.attempt():
        store.rows = store.rows | {ACCOUNT: replace(account, guardrails=())}
        told = len(world.journal.facts)
        answer = made(world, actor, change)
        del world.journal.facts[told:]
        assert not isinstance(answer, Refusal), answer
        found = measures(world, held_by_members(world), account.guardrails)
        raise Undone
    return found


class Undone(Exception):  # noqa: N818 - it takes the attempt back, nothing is wrong
    """The end of an attempt that is not kept."""


@st.composite
def histories(draw: st.DrawFn) -> tuple[Small, list[tuple[str, dict[str, Any]]]]:
    """An account, and a few changes with who makes them."""
    small = replace(draw(small_accounts), rules=draw(st.lists(rules, min_size=2, max_size=4)))
    small.members["bea"] = (CUSTOM, MembershipStatus.ACTIVE, None)
    kinds = st.sampled_from([kind for kind in KINDS if kind not in {"conversion", "leave"}])
    tries = draw(
        st.lists(
            st.tuples(st.sampled_from(("owner",) * 8 + EVERYONE), kinds.flatmap(change_of)),
            min_size=2,
            max_size=5,
        )
    )
    return small, tries


@settings(
    max_examples=120,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(history=histories())
def guardrails_hold(history: tuple[Small, list[tuple[str, dict[str, Any]]]]) -> None:
    small, tries = history
    world = small.world()
    before, projects = measures(world, held_by_members(world)), set(world.store.known_projects)
    for actor, change in tries:
        answer = made(world, actor, change)
        OUTCOMES[answer.code if isinstance(answer, Refusal) else "done"] += 1
        after, kept = measures(world, held_by_members(world)), set(world.store.known_projects)
        assert not worsened(before, after, projects), (actor, change)
        if isinstance(answer, Refusal):
            assert after == before
            if answer.code == "guardrail-violated":
                otherwise = without_guardrails(world, actor, change)
                assert worsened(before, otherwise, projects), (actor, change)
        before, projects = after, kept


@pytest.mark.rule("B10")
def test_no_accepted_change_violates_a_guardrail_more() -> None:
    guardrails_hold()

    assert OUTCOMES["guardrail-violated"] > 5, OUTCOMES
    assert OUTCOMES["done"] > OUTCOMES["guardrail-violated"], OUTCOMES
