"""Live tails of the audit log: the limits, the events, and the places from which one goes on.

A tail follows the tree of its account. The place of a record there is given once, when the record
is sealed, and never changes. So a reader that goes on after a place misses nothing and gets nothing
twice, at any replica.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.audit.domain.records import Record
from shared.problems import Refusal, RefusalKind

MAX_OF_USER = 5
MAX_OF_ACCOUNT = 20
MAX_OF_REPLICA = 200
MAX_BEHIND = 10_000
"""The records that a tail may lie behind once it has told all of them."""


class TooManyTails(Refusal):
    """The user, the account or this replica has as many live tails as it may."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-tails-at-once"
    detail = (
        "{limit} live tails are open, the most that {holder} may have. Close one, then try again."
    )


class TailEnd(StrEnum):
    """Why a replica ended a tail, besides the codes of refusals; the reader may go on."""

    DRAINING = "draining"
    """This replica stops; another one goes on."""
    TOO_SLOW = "too-slow"
    """The reader lies further behind than a tail may."""
    UNAVAILABLE = "unavailable"
    """The database did not answer."""
    SET_BACK = "set-back"
    """The log is shorter than what was told: the database was set back."""


class TailPlace(NamedTuple):
    """A place in the log of an account: behind its first `size` records."""

    size: int
    last: str
    """The id of the record before this place; empty at the beginning."""

    @classmethod
    def read(cls, text: str) -> "TailPlace | None":
        """Read what `str` has written; `None` for any other text."""
        size, separator, last = text.partition(".")
        if not size.isascii() or not size.isdigit() or len(size) > len(str(2**53)):
            return None
        place = cls(int(size), last)
        whole = separator == "." and bool(last) is bool(place.size)
        return place if whole and str(place) == text else None

    def __str__(self) -> str:
        return f"{self.size}.{self.last}"


@dataclass(frozen=True, slots=True)
class RecordTold:
    """A record that the filters of a tail take, and the place behind it."""

    record: Record
    place: TailPlace


@dataclass(frozen=True, slots=True)
class PlaceTold:
    """How far a tail is, whether or not the filters took anything on the way."""

    place: TailPlace
    complete_until: datetime | None
    """Everything that happened before this moment has been told; `None` while not known."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of a tail."""

    reason: str


class StillOpen:
    """Nothing is new, and the connection is to stay."""


TailEvent = RecordTold | PlaceTold | Ended | StillOpen
