"""Paths with parameters: the form of a segment, and which template covers another one."""

import re
from dataclasses import dataclass, field

PLAIN = r"A-Za-z0-9._~\-"
"""The characters that no server decodes, splits or drops (unreserved, RFC 3986, 2.3)."""
SEGMENT = re.compile(
    rf"(?:\{{(?P<parameter>[a-z][a-z0-9_]*)\}}(?P<verb>:[{PLAIN}]+)?|[{PLAIN}:@]+)"
)
VALUE = rf"(?!\.{{1,2}}(?:[:/]|$))[{PLAIN}]{{1,256}}"
"""What a parameter stands for: one or more plain characters, and no dots."""
_VALUE = re.compile(VALUE)
_ANY = "{}"


def segment_pattern(segment: str) -> str:
    """The expression for a segment."""
    found = SEGMENT.fullmatch(segment)
    if found is None or not found["parameter"]:
        return re.escape(segment)
    return rf"(?P<{found['parameter']}>{VALUE})" + re.escape(found["verb"] or "")


class CoveredRoutes:
    """Routes, found by a later one whose requests they all match.

    They stand in a tree: each segment of a path leads on, and a parameter leads on by one way,
    of any name. A later path has at most two ways at each of its segments.
    """

    def __init__(self) -> None:
        self._tree = _Branch()

    def covering(self, path: str, host: str | None, methods: frozenset[str]) -> int | None:
        """The place of the first route that matches every request of this one."""
        found = [self._tree]
        for segment in path.split("/"):
            ways = _ways(segment)
            found = [branch.below[way] for branch in found for way in ways if way in branch.below]
        hosts = dict.fromkeys((None, host))
        ends = (end for branch in found for each in hosts for end in branch.ends.get(each, ()))
        return min((at for at, ours in ends if ours >= methods), default=None)

    def add(self, at: int, path: str, host: str | None, methods: frozenset[str]) -> None:
        """Take a route that no earlier one covers, with its place."""
        branch = self._tree
        for segment in path.split("/"):
            branch = branch.below.setdefault(_ways(segment)[0], _Branch())
        branch.ends.setdefault(host, []).append((at, methods))


@dataclass
class _Branch:
    """The paths with the same beginning; `ends` has the places and methods of those that end."""

    below: dict[str, "_Branch"] = field(default_factory=dict)
    ends: dict[str | None, list[tuple[int, frozenset[str]]]] = field(default_factory=dict)


def _ways(segment: str) -> tuple[str, ...]:
    """The way of a segment itself, and that of a parameter that matches it."""
    found = SEGMENT.fullmatch(segment)
    if found is not None and found["parameter"]:
        return (_ANY + (found["verb"] or ""),)
    value, colon, verb = segment.partition(":")
    if _VALUE.fullmatch(value) is None:
        return (segment,)
    return segment, _ANY + colon + verb
