"""The last changes of team's journal, numbered for the readers of the policy stream."""

import secrets
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from shared.contracts.policy_objects import PolicyObject

MAX_CHANGES = 4_000
MAX_OBJECTS = 20_000
"""The changes and policy objects that are kept. A slower reader is cut off."""

MAX_DIGITS = 18
"""The digits of the number of a change. Python refuses to read thousands of them."""


@dataclass(frozen=True, slots=True)
class NumberedChange:
    """The policy objects of one change, which are applied together."""

    number: int
    objects: tuple[PolicyObject, ...]


class ReaderTooSlow(Exception):  # noqa: N818 - the stream ends with an event that says so
    """The change after the reader's last one is not kept any more."""


class ChangeLog:
    """The last changes of one life of this replica's state; other lives have other logs."""

    def __init__(self, *, max_changes: int = MAX_CHANGES, max_objects: int = MAX_OBJECTS) -> None:
        self.life = secrets.token_hex(8)
        self.last = 0
        self._max_changes = max_changes
        self._max_objects = max_objects
        self._changes: deque[NumberedChange] = deque()
        self._objects = 0

    def record(self, objects: Iterable[PolicyObject]) -> None:
        """Keep a change that was applied; the oldest ones make room for it."""
        self.last += 1
        change = NumberedChange(self.last, tuple(objects))
        self._changes.append(change)
        self._objects += len(change.objects)
        while len(self._changes) > 1 and (
            len(self._changes) > self._max_changes or self._objects > self._max_objects
        ):
            self._objects -= len(self._changes.popleft().objects)

    def next(self, number: int) -> NumberedChange | None:
        """The change after this one; `None` if it is the last.

        Raises:
            ReaderTooSlow: that change is not kept any more.
        """
        if number >= self.last:
            return None
        position = number + 1 - (self.last - len(self._changes) + 1)
        if position < 0:
            raise ReaderTooSlow
        return self._changes[position]

    def number_of(self, text: str) -> int | None:
        """The number in this text if a reader that has this change can go on from it."""
        if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
            return None
        number = int(text)
        return number if self.last - len(self._changes) <= number <= self.last else None
