"""What can be granted: sections of entries with levels, and who holds them?"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, StringConstraints
from pydantic.dataclasses import dataclass

_CLOSED = ConfigDict(extra="forbid")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
PermissionName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}:[a-z][a-z0-9_]{0,63}$")
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Scope(StrEnum):
    """Which resources a grant reaches: everyone's, or those that the member owns (`Nv8`)."""

    ALL = "all"
    SELF = "self"


# Entry id -> level id -> scope. In a catalog file and in requests `*` may stand for an entry or a
# level; a loaded catalog has none left.
Grants = Mapping[str, Mapping[str, Scope]]


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Level:
    """One column of an entry: `<entry>:<id>` is a permission.

    `includes`: levels of the same entry that whoever holds this one holds too, in the same scope.
    `actions`: finer actions on the entry's own resource type. `permissions`: complete names, also
    of other types. Both are held exactly when the level is. `offers_self`: may be granted for own
    resources only.
    """

    id: Name
    title: Title
    offers_self: bool = False
    includes: tuple[Name, ...] = ()
    actions: tuple[Name, ...] = ()
    permissions: tuple[PermissionName, ...] = ()


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Entry:
    """One row of the table; its id is a resource type.

    `project_scoped`: an override inside a project replaces the role's grants (`Ci9`). `why` says
    why a control permission stands where no source has a row for it.
    """

    id: Name
    title: Title
    levels: tuple[Level, ...]
    project_scoped: bool = False
    why: str = ""

    def permission_names(self, level: Level) -> tuple[str, ...]:
        """Every permission that `level` of this entry carries, the level's own name first."""
        return (
            f"{self.id}:{level.id}",
            *(f"{self.id}:{action}" for action in level.actions),
            *level.permissions,
        )


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Section:
    """A heading over entries."""

    id: Name
    title: Title
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Role:
    """A built-in role. One that is not `assignable` comes only with owning the account."""

    id: RoleName
    title: Title
    grants: Grants
    description: str = ""
    assignable: bool = True
