"""The facts of team about accounts that revert, shut members out, are suspended or deleted."""

from datetime import datetime
from typing import ClassVar, Literal

from shared.contracts.facts import Payload


class _Ending(Payload):
    account_name: str


class _OwnedEnding(_Ending):
    owner_user_id: str
    owner_email: str
    owner_name: str


class AccountReverted(_Ending):
    """A team became a personal account; facts before this one ended what others had in it (Rp3)."""

    type: ClassVar[str] = "team.account.reverted.v1"
    owner_user_id: str
    catalog: str


class AccountSuspended(_OwnedEnding):
    """The platform suspended an account; a mail tells the owner."""

    type: ClassVar[str] = "team.account.suspended.v1"
    explanation: str
    """Why, in words for the owner."""


class AccountResumed(_OwnedEnding):
    """The platform ended the suspension of an account; a mail tells the owner."""

    type: ClassVar[str] = "team.account.resumed.v1"


class AccountDeletionRequested(_OwnedEnding):
    """The owner deleted an account; until `deletes_at` it can be restored."""

    type: ClassVar[str] = "team.account.deletion_requested.v1"
    deletes_at: datetime
    members: int = 0
    """How many members lose their access; a mail tells each."""
    personal_account_id: str | None = None
    """The owner's new personal account, if this one was their home."""
    by_erasure: bool = False
    """Whether the owner deleted themselves; then it cannot be restored."""


class AccountRestored(_OwnedEnding):
    """The owner restored an account before its rows were deleted."""

    type: ClassVar[str] = "team.account.restored.v1"
    members: int = 0
    """How many members have their access again; a mail tells each."""


class AccountMembersInformed(_Ending):
    """The access of these members ended or came back with the account; a mail tells each."""

    type: ClassVar[str] = "team.account.members_informed.v1"
    about: Literal["deletion", "restoration"]
    emails: tuple[str, ...]


class AccountSecondFactorDemanded(_Ending):
    """The account demands a second factor of its members, or no longer."""

    type: ClassVar[str] = "team.account.second_factor_demanded.v1"
    required: bool


class AccountMembersShutOut(_Ending):
    """These members have not the second factor that the account demands; a mail tells each."""

    type: ClassVar[str] = "team.account.members_shut_out.v1"
    emails: tuple[str, ...]


class AccountDeleted(_Ending):
    """An account was deleted for good: only its audit log is left."""

    type: ClassVar[str] = "team.account.deleted.v1"
    owner_user_id: str


FACTS: tuple[type[Payload], ...] = (
    AccountReverted,
    AccountSuspended,
    AccountResumed,
    AccountDeletionRequested,
    AccountRestored,
    AccountMembersInformed,
    AccountSecondFactorDemanded,
    AccountMembersShutOut,
    AccountDeleted,
)
