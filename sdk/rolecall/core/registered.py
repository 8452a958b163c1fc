"""The registered resources of one account: a map that never changes and is cheap to replace.

A change copies only the parts that it touches, so one resource among 100,000 costs about as much as
one among 400.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.core.state import Resource

ResourceKey = tuple[str, str]
"""The type of a resource, and its id."""

PARTS = 256
WHOLE_UP_TO = 512
"""A map of this size is one part: most accounts have few resources, and 256 parts cost 18 KB."""

_Part = dict[ResourceKey, Resource]


class RegisteredResources(Mapping[ResourceKey, Resource]):
    """Resources by type and id. It never changes: `with_changes` gives another map."""

    __slots__ = ("_count", "_parts")

    def __init__(self) -> None:
        self._parts: tuple[_Part, ...] = ({},)
        self._count = 0

    def with_changes(self, changes: Mapping[ResourceKey, Resource | None]) -> "RegisteredResources":
        """Return the map with these resources in place of its own; None takes one out."""
        changed = RegisteredResources()
        parts = list(self._parts)
        if len(parts) == 1 and self._count + len(changes) > WHOLE_UP_TO:
            parts = _split(parts[0])
        copied: dict[int, _Part] = {}
        count = self._count
        for key, resource in changes.items():
            at = hash(key) % len(parts)
            part = copied.get(at)
            if part is None:
                part = copied[at] = parts[at] = dict(parts[at])
            before = len(part)
            if resource is None:
                part.pop(key, None)
            else:
                part[key] = resource
            count += len(part) - before
        changed._parts, changed._count = tuple(parts), count
        return changed

    def __getitem__(self, key: ResourceKey) -> Resource:
        """The resource of this type and id."""
        return self._parts[hash(key) % len(self._parts)][key]

    def get(self, key: ResourceKey, default: Any = None) -> Any:
        """The resource of this type and id, or the default; without an exception for a miss."""
        return self._parts[hash(key) % len(self._parts)].get(key, default)

    def __len__(self) -> int:
        """How many resources there are."""
        return self._count

    def __iter__(self) -> Iterator[ResourceKey]:
        """Every type and id, in no order."""
        for part in self._parts:
            yield from part


def _split(whole: _Part) -> list[_Part]:
    parts: list[_Part] = [{} for _ in range(PARTS)]
    for key, resource in whole.items():
        parts[hash(key) % PARTS][key] = resource
    return parts
