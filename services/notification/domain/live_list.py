"""The live list of notifications: the limits, the places from which a reader goes on, and the ends.

Each list numbers its entries in the order in which they were saved, without a gap. So a reader that
goes on after a number misses nothing and gets nothing twice, at any replica. The ids of entries
follow the time of their facts, and a fact may arrive late.
"""

from enum import StrEnum
from typing import NamedTuple

from shared.problems import Refusal, RefusalKind

MAX_OF_USER = 10
MAX_OF_REPLICA = 1000
MAX_BEHIND = 1000
"""The entries that a reader may lie behind once it has been told all of them."""
_MAX_DIGITS = 15


class TooManyLiveLists(Refusal):
    """The user or this replica has as many live lists as it may."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-live-lists-at-once"
    detail = (
        "{limit} live lists are open, the most that {holder} may have. Close one, then try again."
    )


class LiveListEnd(StrEnum):
    """Why a replica ended a live list, besides the codes of refusals; the reader may go on."""

    DRAINING = "draining"
    """This replica stops; another one goes on."""
    TOO_SLOW = "too-slow"
    """The reader lies further behind than it may."""
    UNAVAILABLE = "unavailable"
    """The database, or the service that knows who is signed in, did not answer."""
    SET_BACK = "set-back"
    """The list is shorter than what was told."""


def why_over(behind: int, *, caught_up: bool) -> LiveListEnd | None:
    """Return why a live list ends whose reader lies that far behind; `None` if it goes on.

    One that has not been told all of them yet since it began may lie behind by any number.
    """
    if behind < 0:
        return LiveListEnd.SET_BACK
    return LiveListEnd.TOO_SLOW if caught_up and behind > MAX_BEHIND else None


class ListPlace(NamedTuple):
    """A place in the list of a person: behind its first `number` entries."""

    number: int
    last: str
    """The id of the entry with this number; empty at the beginning."""

    @classmethod
    def read(cls, text: str) -> "ListPlace | None":
        """Read what `str` has written; `None` for any other text."""
        digits, _, last = text.partition(".")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
            return None
        place = cls(int(digits), last)
        return place if str(place) == text and bool(last) is bool(place.number) else None

    def __str__(self) -> str:
        return f"{self.number}.{self.last}"


BEGINNING = ListPlace(0, "")
