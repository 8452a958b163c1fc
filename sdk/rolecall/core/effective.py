"""The grants that decide about a member: inside a project, outside of all, or in one decision."""

from rolecall.core.decision import Decision
from rolecall.core.masks import Matrix
from rolecall.core.state import AccountState, Member


def deciding_matrix(account: AccountState, user_id: str, decision: Decision) -> Matrix:
    """The grants that a decision rests on: the member's role, or their override."""
    member = account.members[user_id]
    kind, _, project_id = (decision.decided_by or "").partition(":")
    return member.overrides[project_id].matrix if kind == "override" else member.role


def effective_matrix(
    account: AccountState, member: Member, project_id: str | None = None, *, now: int
) -> Matrix:
    """What a member holds in a project or outside of all; the limit of what they give (`B5`)."""
    override = None if project_id is None else member.overrides.get(project_id)
    if override is None or not override.active(now=now):
        return member.role
    return account.catalog.within_project(member.role, override.matrix)


def effective_table(
    account: AccountState, member: Member, project_id: str | None = None, *, now: int
) -> dict[str, dict[str, str | None]]:
    """What a member may do, in words: entry -> level -> `all`, `self`, `all when …` or `None`."""
    return account.catalog.table(effective_matrix(account, member, project_id, now=now))
