"""An open offer of the ownership, as a part of the account's row."""

from dataclasses import dataclass
from datetime import datetime

from shared.ids import MembershipId, UserId


@dataclass(frozen=True, kw_only=True)
class OwnershipOffer:
    """The owner's offer to one member, bound to the membership that the member had then.

    Names and addresses are copies for the people who are told what became of it.
    """

    user_id: UserId
    membership_id: MembershipId
    name: str
    email: str
    owner_user_id: UserId
    owner_name: str
    owner_email: str
    offered_at: datetime
    expires_at: datetime

    def open(self, now: datetime) -> bool:
        """Whether it can still be accepted."""
        return now < self.expires_at

    def concerns(self, user_id: UserId) -> bool:
        """Whether this user made or received it. No other member is shown it."""
        return user_id in {self.user_id, self.owner_user_id}
