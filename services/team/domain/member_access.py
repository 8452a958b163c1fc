"""What a member may do, cell by cell, and where each cell comes from."""

from dataclasses import dataclass
from enum import StrEnum

from rolecall import (
    AccountState,
    Matrix,
    Member,
    Reason,
    Subject,
    effective_matrix,
    membership_denial,
)
from shared.ids import ProjectId


class CellSource(StrEnum):
    """What decides a cell."""

    OWNER = "owner"
    """The role of the owner's membership."""
    ROLE = "role"
    OVERRIDE = "override"
    """The member's override in the project, also where it takes the cell away."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The grant that a member has (`all`, `self`, `all when …`, or none), and what decides it."""

    scope: str | None
    source: CellSource


AccessTable = dict[str, dict[str, Cell]]
"""Entry -> level -> cell."""

_NO_GRANTS = Matrix(source="", all_mask=0, self_mask=0)


def denial(state: AccountState, member: Member, *, now: int) -> Reason | None:
    """The reason for which every check of the member is denied, if it is."""
    denied = membership_denial(state, Subject(member.user_id), now=now)
    return None if denied is None else denied.reason


def access_table(
    state: AccountState, member: Member, project_id: ProjectId | None, *, now: int
) -> AccessTable:
    """What the member may do in a project, or outside of all, as the decision has it.

    `now` is in epoch milliseconds.
    """
    catalog = state.catalog
    denied = denial(state, member, now=now) is not None
    matrix = _NO_GRANTS if denied else effective_matrix(state, member, project_id, now=now)
    override = None if project_id is None else member.overrides.get(project_id)
    overridden = not denied and override is not None and override.active(now=now)
    given_by = CellSource.OWNER if member.user_id == state.owner_user_id else CellSource.ROLE

    def cell(scope: str | None, *, in_override: bool) -> Cell:
        if in_override:
            return Cell(scope=scope, source=CellSource.OVERRIDE)
        return Cell(scope=scope, source=CellSource.NOTHING if scope is None else given_by)

    entries = catalog.catalog.entries
    return {
        entry: {
            level: cell(scope, in_override=overridden and entries[entry].project_scoped)
            for level, scope in levels.items()
        }
        for entry, levels in catalog.table(matrix).items()
    }
