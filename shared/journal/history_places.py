"""Places of rows and keys of objects in the history of a shard, and how far it was derived."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.contracts.policy_objects import PolicyObjectKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = 10**12 - 1
"""A sequence after all others, in a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The rows of a shard that were noted: the first, the last, and since when the last counts.

    What was over before the place `told` is forgotten. Up to the row `named`, entries have names.
    """

    shard: int
    first_seq: int
    seq: int
    since: int
    told: str = ""
    named: int = 0

    def until(self, at: datetime) -> str:
        """The place of the last row that counts at a time."""
        return min(place_of(milliseconds(at), LAST), place_of(self.since, self.seq))


def place_of(since: int, seq: int) -> str:
    """The time from which a row counts, then its sequence; places sort as the rows do."""
    return f"{since:015d}.{seq:012d}"


def time_of(place: str) -> datetime:
    """The time from which the row at a place counts."""
    return EPOCH + timedelta(milliseconds=int(place.partition(".")[0]))


def milliseconds(moment: datetime) -> int:
    """The whole milliseconds of a time since 1970."""
    return max(0, (moment - EPOCH) // timedelta(milliseconds=1))


def object_key(account_id: str, kind: PolicyObjectKind, object_id: str) -> str:
    """The key of an object of an account."""
    return f"{account_id}/{kind}/{object_id}"
