"""The permission table of a catalog: sections, entries, levels and roles."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Strict, StringConstraints
from pydantic.dataclasses import dataclass

from rolecall.core.control_permissions import CONTROL_PERMISSIONS
from rolecall.core.level_grants import WrittenGrant

_CLOSED = ConfigDict(extra="forbid")

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
ROLE_NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,63}$"
ACTION_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
PERMISSION_PATTERN = r"^[a-z][a-z0-9_]{0,63}:[A-Za-z][A-Za-z0-9_]{0,63}$"
LANGUAGE_PATTERN = r"^[a-z]{2,3}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
ActionName = Annotated[str, StringConstraints(pattern=ACTION_PATTERN)]
RoleName = Annotated[str, StringConstraints(pattern=ROLE_NAME_PATTERN)]
PermissionName = Annotated[str, StringConstraints(pattern=PERMISSION_PATTERN)]
Flag = Annotated[bool, Strict()]
"""True or false; `"true"` in quotes is a text, and 1 is a number."""


def visible(title: str) -> str:
    """Refuse characters that hide or turn text; a title is shown in mails and to operators."""
    if any(
        unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} and character not in _JOINERS
        for character in title
    ):
        raise ValueError("A title cannot contain control or formatting characters. Remove them.")
    return title


_JOINERS = frozenset("\u200c\u200d")
Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(visible)]


# Entry id -> level id -> grant. In a catalog file and in requests `*` may stand for every entry or
# every level; a loaded catalog has no `*` left.
Grants = Mapping[str, Mapping[str, WrittenGrant]]


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Level:
    """One column of an entry; `<entry>:<id>` is a permission.

    `includes`: lower levels of the same entry that come with this one, in the same scope.
    `actions`: finer actions on the entry's own resource type. `permissions`: complete names, also
    of other types. Both are held exactly when the level is. `offers_self`: the level can be granted
    in scope `self`.
    """

    id: Name
    title: Title
    offers_self: Flag = False
    includes: tuple[Name, ...] = ()
    actions: tuple[ActionName, ...] = ()
    permissions: tuple[PermissionName, ...] = ()


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Entry:
    """One row of the table; its id is a resource type.

    `project_scoped`: an override inside a project replaces the role's grants (`Ci9`). `why` gives
    the reason for an entry of Rolecall's own that the provider's table does not have.
    """

    id: Name
    title: Title
    levels: tuple[Level, ...]
    project_scoped: Flag = False
    why: str = ""

    def permission_names(self, level: Level) -> tuple[str, ...]:
        """The names of all permissions that a level of this entry carries, its own name first."""
        return (
            f"{self.id}:{level.id}",
            *(f"{self.id}:{action}" for action in level.actions),
            *level.permissions,
        )

    def included(self, level_id: str) -> Iterator[Level]:
        """The levels that come with a level, each as often as it is reached."""
        levels = {level.id: level for level in self.levels}
        for lower in levels[level_id].includes:
            yield levels[lower]
            yield from self.included(lower)

    def controls(self, level: Level) -> bool:
        """Return whether the level gives a permission of Rolecall's own API."""
        given = (level, *self.included(level.id))
        return any(
            name in CONTROL_PERMISSIONS for one in given for name in self.permission_names(one)
        )


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Section:
    """A titled group of entries."""

    id: Name
    title: Title
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Role:
    """A built-in role; one that is not `assignable` belongs to the account's owner only."""

    id: RoleName
    title: Title
    grants: Grants
    description: str = ""
    assignable: Flag = True
