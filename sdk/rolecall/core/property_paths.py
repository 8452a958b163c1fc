"""Paths to the properties that conditions test, such as `resource.properties.status`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from rolecall.core.condition_facts import Facts

MAX_STEPS = 6
MAX_PATH_CHARACTERS = 256
_STEP = re.compile(r"[^\s.\x00-\x1f\x7f]{1,64}")

_IDS: Final[Mapping[str, Callable[[Facts], str | None]]] = {
    "subject.id": attrgetter("subject_id"),
    "resource.id": attrgetter("resource_id"),
}
_PROPERTIES: Final[Mapping[str, Callable[[Facts, str], object]]] = {
    "subject.properties": Facts.of_subject,
    "resource.properties": Facts.of_resource,
    "action.properties": lambda facts, name: facts.given.action.get(name),
    "context": lambda facts, name: facts.given.context.get(name),
}
ROOTS = (*_IDS, *(f"{root}.<name>" for root in _PROPERTIES))
"""What a path can begin with, as messages name it."""


@dataclass(frozen=True, slots=True)
class PropertyPath:
    """A path: `subject.id`, `resource.id`, or a root with the names of a property below it."""

    text: str
    root: str
    names: tuple[str, ...]

    def value(self, facts: Facts) -> object:
        """The value at the path; `None` if there is none, or if it is null."""
        if not self.names:
            return _IDS[self.root](facts)
        found = _PROPERTIES[self.root](facts, self.names[0])
        for name in self.names[1:]:
            if not isinstance(found, Mapping):
                return None
            found = found.get(name)
        return found


def property_path(text: str) -> PropertyPath | None:
    """Read a path; `None` if it is not one, or is too long."""
    if text in _IDS:
        return PropertyPath(text, text, ())
    for root in _PROPERTIES:
        if text.startswith(f"{root}.") and len(text) <= MAX_PATH_CHARACTERS:
            names = tuple(text.removeprefix(f"{root}.").split("."))
            if len(names) <= MAX_STEPS and all(_STEP.fullmatch(name) for name in names):
                return PropertyPath(text, root, names)
    return None
