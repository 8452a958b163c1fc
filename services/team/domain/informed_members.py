"""The members whom a mail tells of a change of their account, in facts of a bounded size."""

from collections.abc import Iterator, Sequence

from rolecall import MembershipStatus
from services.team.domain.account_access import AccountAccess
from services.team.domain.members import Membership

ADDRESSES_OF_A_FACT = 100
"""An address can have a kilobyte, and a row of the journal 128."""


def active_members(access: AccountAccess, members: Sequence[Membership]) -> list[Membership]:
    """The members who could work in the account; the owner gets a mail of their own."""
    return [
        member
        for member in members
        if not access.is_owner(member)
        and member.status is MembershipStatus.ACTIVE
        and (member.expires_at is None or member.expires_at > access.now)
    ]


def pages_of_emails(members: Sequence[Membership]) -> Iterator[tuple[str, ...]]:
    """Their addresses, as many as one fact takes at a time."""
    for first in range(0, len(members), ADDRESSES_OF_A_FACT):
        yield tuple(one.email for one in members[first : first + ADDRESSES_OF_A_FACT])
