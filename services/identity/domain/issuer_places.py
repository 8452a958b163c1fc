"""The places for requests to issuers in one process: no account holds up the others."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from shared.ids import AccountId

PLACES_OF_ACCOUNTS = 24
"""Fewer than a process has connections: the others are left to the issuers of the operator."""
PLACES_OF_ISSUER = 8
"""The requests that wait for one issuer of the operator."""
SLOW_SECONDS = 2.0
"""The issuers of an account that take longer are slow, also if they answer."""
MAX_KNOWN = 2_000
"""The most accounts that are remembered; one that is forgotten is new again."""


class IssuerPace(StrEnum):
    """What is known of the issuers of an account."""

    FAST = "fast"
    NEW = "new"
    """None has answered yet, in this process."""
    SLOW = "slow"


@dataclass(frozen=True, kw_only=True)
class PlaceShare:
    """The most places of one account, and of all accounts of a pace."""

    account: int
    together: int


SHARES = {
    IssuerPace.FAST: PlaceShare(account=6, together=PLACES_OF_ACCOUNTS),
    IssuerPace.NEW: PlaceShare(account=2, together=PLACES_OF_ACCOUNTS // 4),
    IssuerPace.SLOW: PlaceShare(account=2, together=PLACES_OF_ACCOUNTS // 4),
}
"""Half of the places are left to those whose issuers have answered fast."""


@dataclass(kw_only=True)
class IssuerPlaces:
    """How many requests are in hand, and how fast the issuers of each account answer.

    Each time counts half as much as the next one. So one fast answer does not make up for one that
    held its place.
    """

    of_issuers: Counter[str] = field(default_factory=Counter)
    of_accounts: Counter[AccountId] = field(default_factory=Counter)
    seconds: dict[AccountId, float] = field(default_factory=dict)
    """The account that was answered last is the last one."""

    def take(self, issuer: str, account_id: AccountId | None) -> bool:
        """Take a place for a request, if there is one; `None` stands for the operator."""
        if account_id is None:
            if self.of_issuers[issuer] >= PLACES_OF_ISSUER:
                return False
            self.of_issuers[issuer] += 1
            return True
        pace = self.pace(account_id)
        share = SHARES[pace]
        if (
            self.of_accounts[account_id] >= share.account
            or self._in_hand(pace) >= share.together
            or self.of_accounts.total() >= PLACES_OF_ACCOUNTS
        ):
            return False
        self.of_accounts[account_id] += 1
        return True

    def release(self, issuer: str, account_id: AccountId | None, *, seconds: float) -> None:
        """Give a place back; `seconds` says how long it was taken."""
        if account_id is None:
            self.of_issuers -= Counter([issuer])
            return
        self.of_accounts -= Counter([account_id])
        before = self.seconds.pop(account_id, seconds)
        self.seconds[account_id] = (before + seconds) / 2
        if len(self.seconds) > MAX_KNOWN:
            del self.seconds[next(iter(self.seconds))]

    def pace(self, account_id: AccountId) -> IssuerPace:
        """What is known of an account's issuers."""
        known = self.seconds.get(account_id)
        if known is None:
            return IssuerPace.NEW
        return IssuerPace.SLOW if known > SLOW_SECONDS else IssuerPace.FAST

    def _in_hand(self, pace: IssuerPace) -> int:
        return sum(count for one, count in self.of_accounts.items() if self.pace(one) is pace)
