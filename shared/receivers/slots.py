"""The places for requests to receivers in one process: no receiver holds up another one."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from shared.ids import AccountId

SLOW_SECONDS = 2.0
"""A receiver whose requests take longer is slow, also if it answers."""
ACCOUNT_PART = 8
"""The receivers of one account together have one in this number of all places."""
MAX_KNOWN = 2_000
"""The most receivers that are remembered; one that is forgotten is new again."""


class ReceiverPace(StrEnum):
    """What is known of a receiver."""

    FAST = "fast"
    NEW = "new"
    """It has not answered yet, in this process."""
    SLOW = "slow"


UsedBy = tuple[AccountId | None, ReceiverPace]


@dataclass(frozen=True, kw_only=True)
class PlaceLimit:
    """The places of one receiver, of one account, and all receivers of a pace (a part of all)."""

    receiver: int
    account: int
    part: int


LIMITS = {
    ReceiverPace.FAST: PlaceLimit(receiver=4, account=8, part=1),
    ReceiverPace.NEW: PlaceLimit(receiver=1, account=2, part=4),
    ReceiverPace.SLOW: PlaceLimit(receiver=1, account=2, part=4),
}
"""Half of all places are left to those that have answered fast. Who makes new receivers again and
again, or answers just before the time is over, gets none of them."""


@dataclass(kw_only=True)
class Receiver:
    """A receiver, and how long its requests take: each counts half as much as the next one.

    So one fast answer does not make up for one that held its place.
    """

    account_id: AccountId
    seconds: float | None = None

    @property
    def pace(self) -> ReceiverPace:
        """What is known of it."""
        if self.seconds is None:
            return ReceiverPace.NEW
        return ReceiverPace.SLOW if self.seconds > SLOW_SECONDS else ReceiverPace.FAST

    def note(self, seconds: float) -> None:
        """Note how long a request took."""
        self.seconds = seconds if self.seconds is None else (self.seconds + seconds) / 2


@dataclass(kw_only=True)
class Slots:
    """How many requests are in hand, of which receivers, and how fast these answer."""

    total: int
    in_hand: Counter[str] = field(default_factory=Counter)
    known: dict[str, Receiver] = field(default_factory=dict)
    """The receivers, the last one that was asked for last."""

    @property
    def free(self) -> int:
        """The places that are free."""
        return self.total - self.in_hand.total()

    def closed(self) -> list[str]:
        """The known receivers that get no further place now."""
        used = self._used()
        return [one for one, receiver in self.known.items() if not self._open(one, receiver, used)]

    def takes(self, receiver_id: str, account_id: AccountId) -> bool:
        """Return whether a receiver gets a further place now; it is known from then on."""
        receiver = self.known.pop(receiver_id, None) or Receiver(account_id=account_id)
        self.known[receiver_id] = receiver
        self._forget()
        return self.free >= 1 and self._open(receiver_id, receiver, self._used())

    def take(self, receiver_id: str, account_id: AccountId) -> None:
        """Take a place."""
        self.known.setdefault(receiver_id, Receiver(account_id=account_id))
        self.in_hand[receiver_id] += 1

    def release(self, receiver_id: str, *, seconds: float | None) -> None:
        """Give a place back; `seconds` says how long the request took, if one was made."""
        self.in_hand[receiver_id] -= 1
        if not self.in_hand[receiver_id]:
            del self.in_hand[receiver_id]
        if seconds is not None:
            self.known[receiver_id].note(seconds)

    def _open(self, receiver_id: str, receiver: Receiver, used: Counter[UsedBy]) -> bool:
        limit = LIMITS[receiver.pace]
        of_account = min(limit.account, max(1, self.total // ACCOUNT_PART))
        return (
            self.in_hand.get(receiver_id, 0) < limit.receiver
            and used[receiver.account_id, receiver.pace] < of_account
            and used[None, receiver.pace] < max(1, self.total // limit.part)
        )

    def _used(self) -> Counter[UsedBy]:
        """The places in hand, of each pace, and of each account and pace."""
        used: Counter[UsedBy] = Counter()
        for receiver_id, count in self.in_hand.items():
            receiver = self.known[receiver_id]
            used[None, receiver.pace] += count
            used[receiver.account_id, receiver.pace] += count
        return used

    def _forget(self) -> None:
        """Forget the receiver that was asked for longest ago and has no request in hand."""
        if len(self.known) > MAX_KNOWN:
            del self.known[next(one for one in self.known if one not in self.in_hand)]
