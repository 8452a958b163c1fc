"""What a preview shows, compared with the account before the change and after it."""

from __future__ import annotations

from typing import Any

from tests.state_machine.accounts import Account, Project
from tests.state_machine.catalogs import INSIDE, Cell, Held
from tests.state_machine.guardrails import worse

Change = dict[Cell, tuple[str | None, str | None]]
"""The scope of each cell that changes, before and after."""


def compare_preview(shown: Any, before: Account, after: Account, now: int) -> None:
    """What is gained and lost, member by member and place by place, is what the model foresees."""
    was, is_ = before.table(now), after.table(now)
    found = {item["user_id"]: item for item in shown["items"]}
    for user in {**before.members, **after.members}:
        item = found.get(user)
        for project in dict.fromkeys([None, *before.projects, *after.projects]):
            expected = _changed(was.get((user, project), {}), is_.get((user, project), {}))
            if project is not None and (project in before.projects) is not (
                project in after.projects
            ):
                expected = {cell: each for cell, each in expected.items() if cell in INSIDE}
            told = {} if item is None else _told(item, project, before)
            assert told == expected, (user, project, told, expected)
        if user not in after.members:
            assert item is not None
            assert item["role"]["after"] is None, item
    assert bool(shown["violations"]) is worse(before, after, now), shown["violations"]
    _compare_invitations(shown["invitations"], before, after)


def _changed(before: Held, after: Held) -> Change:
    return {
        cell: (before.get(cell), after.get(cell))
        for cell in {**before, **after}
        if before.get(cell) != after.get(cell)
    }


def _told(item: Any, project: Project | None, before: Account) -> Change:
    """The changes that the preview lists for a place; a new project has another id there."""
    listed = item["everywhere"]
    for each in item["in_projects"]:
        new = project is not None and project not in before.projects
        if project in each["project_ids"] or (
            new and any(one not in before.projects for one in each["project_ids"])
        ):
            listed = each
    return {
        (entry, level): (scopes["before"], scopes["after"])
        for side in (listed["gained"], listed["lost"])
        for entry, levels in side.items()
        for level, scopes in levels.items()
    }


def _compare_invitations(shown: Any, before: Account, after: Account) -> None:
    expected: dict[str, tuple[str, str | None, str | None]] = {}
    for key, was in before.invitations.items():
        is_ = after.invitations[key]
        if was.status != "pending":
            continue
        if is_.status != "pending":
            expected[key] = ("ends", None, None)
        elif (was.role, was.inviter) != (is_.role, is_.inviter):
            expected[key] = ("changes", is_.role, is_.inviter)
    found = {
        one["id"]: (one["effect"], one["role"]["after"], one["inviter_after"]) for one in shown
    }
    assert found == expected, (found, expected)
