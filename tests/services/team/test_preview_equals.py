"""A preview is what then happens, for every member, project and permission (`B9`)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from shared.problems import Refusal
from tests.services.team.memory import ACCOUNT
from tests.services.team.small_accounts import (
    KINDS,
    Scopes,
    Small,
    attempts,
    levels_of,
    made,
    previewed,
    scopes,
)

if TYPE_CHECKING:
    from services.team.routes.preview_views import ChangesView, MemberImpactView
    from tests.services.team.memory import Memory

Claim = dict[tuple[str, str], tuple[str | None, str | None]]
"""Entry and level -> the scope before and after."""
OUTCOMES: Counter[tuple[str, str]] = Counter()
EXAMPLES = 18
"""Of each kind of change."""


def claim_of(view: ChangesView) -> Claim:
    claimed: Claim = {}
    for gains, side in ((True, view.gained), (False, view.lost)):
        for entry, levels in side.items():
            for level, scope in levels.items():
                assert gains is (scope.before is None or scope.after == "all")
                claimed[entry, level] = scope.before, scope.after
    return claimed


def inside(member: MemberImpactView, project_id: str | None, known: set[str]) -> Claim:
    """What the preview claims for one place; a new project has another id in it."""
    for group in member.in_projects:
        ids = [one if one in known else "new" for one in group.project_ids]
        if (project_id if project_id is None or project_id in known else "new") in ids:
            return claim_of(group)
    return claim_of(member.everywhere)


def all_pages(world: Memory, actor: str, change: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The first page, and every member that some page lists."""
    first = page = previewed(world, actor, change, limit=1)
    if isinstance(first, Refusal):
        return first, {}
    listed = list(page.items)
    while page.next_cursor is not None:
        page = previewed(world, actor, change, limit=1, cursor=page.next_cursor)
        listed += page.items
    assert len({item.user_id for item in listed}) == len(listed) == first.members_concerned
    return first, {item.user_id: item for item in listed}


def check_equal(
    world: Memory, listed: dict[str, Any], before: Scopes, projects: set[str], catalog: Any
) -> None:
    after = scopes(world)
    kept = set(world.store.known_projects)
    now = world.store.compiled[world.store.rows[ACCOUNT].catalog]
    levels = {*levels_of(catalog), *levels_of(now)}
    if now is not catalog:  # a name may be carried by another level there
        levels = {one for one in levels if one[0] == f"{one[1]}:{one[2]}"}
    had, has = [{one[1:3] for one in levels_of(side)} for side in (catalog, now)]
    users = {key[0] for key in (*before, *after)} | set(listed)
    for user in users:
        for place in (None, *(projects | kept)):
            claimed = inside(listed[user], place, projects) if user in listed else {}
            moved = place is not None and (place not in projects or place not in kept)
            for name, entry, level, project_scoped in levels:
                if moved and not project_scoped:
                    continue
                was = before.get((user, place, name)) if (entry, level) in had else None
                is_ = after.get((user, place, name)) if (entry, level) in has else None
                expected = None if was == is_ else (was, is_)
                assert claimed.get((entry, level)) == expected, (user, place, name)


def check_previews(kind: str) -> None:
    """Preview and make generated changes of one kind."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(attempt=attempts(kind))
    def check(attempt: tuple[Small, dict[str, Any], str]) -> None:
        the_preview_is_what_happens(attempt)

    check()


def the_preview_is_what_happens(attempt: tuple[Small, dict[str, Any], str]) -> None:
    small, change, actor = attempt
    world = small.world()
    before, projects = scopes(world), set(world.store.known_projects)
    catalog = world.store.compiled[world.store.rows[ACCOUNT].catalog]
    rows, facts = world.store.rows[ACCOUNT], len(world.journal.facts)
    members, pending = dict(world.store.memberships), dict(world.store.invited)
    registered = dict(world.store.registered)

    preview, listed = all_pages(world, actor, change)

    assert (world.store.rows[ACCOUNT], len(world.journal.facts)) == (rows, facts)
    assert (world.store.memberships, world.store.invited) == (members, pending)
    assert world.store.registered == registered
    answer = made(world, actor, change)
    if isinstance(preview, Refusal):
        assert isinstance(answer, Refusal)
        assert type(answer) is type(preview)
        assert [f"/change{one.pointer.removeprefix('/query')}" for one in answer.errors] == [
            one.pointer for one in preview.errors
        ]
        OUTCOMES[change["type"], preview.code] += 1
        return
    if preview.violations:
        assert isinstance(answer, Refusal)
        assert answer.code == "guardrail-violated"
        OUTCOMES[change["type"], answer.code] += 1
        return
    assert not isinstance(answer, Refusal), answer
    if world.store.registered != registered:
        OUTCOMES[change["type"], "reassigned"] += 1
    OUTCOMES[change["type"], "done" if listed else "nothing changes"] += 1
    assert preview.account_rev == rows.account_rev
    check_equal(world, listed, before, projects, catalog)
    check_invitations(world, preview, pending)
    gone = set(members) - set(world.store.memberships)
    ending = {user for user in listed if listed[user].role.after is None}
    assert ending == gone
    assert preview.memberships_ending == len(ending)


def check_invitations(world: Memory, preview: Any, pending: dict[str, Any]) -> None:
    left = {key: one for key, one in world.store.invited.items() if one.status == "pending"}
    expected: dict[str, Any] = {}
    for key, was in pending.items():
        is_ = left.get(key)
        if is_ is None:
            expected[key] = was.inviter_user_id, None, was.role, None
        elif (was.inviter_user_id, was.role) != (is_.inviter_user_id, is_.role):
            expected[key] = was.inviter_user_id, is_.inviter_user_id, was.role, is_.role
    listed = {
        one.id: (one.inviter_before, one.inviter_after, one.role.before, one.role.after)
        for one in preview.invitations
    }
    assert listed == expected
    assert preview.invitations_concerned == len(expected)


@pytest.mark.rule("B9")
def test_a_preview_equals_what_then_happens() -> None:
    for kind in KINDS:
        check_previews(kind)
        assert OUTCOMES[kind, "done"], f"no example of {kind} changed anything: {OUTCOMES}"
    assert OUTCOMES["member_removal", "reassigned"], OUTCOMES
    assert any(code == "guardrail-violated" for _, code in OUTCOMES), OUTCOMES
