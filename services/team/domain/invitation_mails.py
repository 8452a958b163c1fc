"""Which invitations are mailed: allowance of an account, share and total of a mailbox (`T14`).

An account sees only what rests on its own invitations: its allowance and its share. What a mailbox
gets from all accounts together delays a mail and is shown to no account, since it would tell who
else has invited the address.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.team.domain.members import Membership
from shared.mailboxes import mailbox_key

WINDOW = timedelta(hours=24)
SHARE_OF_MAILBOX = 2
"""The mails of one account to one mailbox in `WINDOW`."""
ESTABLISHED = 3
"""An account is established when invitations to this number of mailboxes were accepted."""


class NotMailed(StrEnum):
    """Why an invitation did not reach its mailbox; only the first two are stored."""

    MAILBOX_SHARE = "mailbox-share"
    ALLOWANCE = "allowance"
    BOUNCED = "bounced"


@dataclass(frozen=True, kw_only=True)
class AccountMail:
    """One invitation that the account has mailed."""

    mailbox: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class MailboxPlace:
    """One mail to a mailbox, from any account; `link` names the invitation's link in it."""

    link: str
    established: bool
    at: datetime
    account: str = ""
    """The account; places that an earlier version stored have none."""

    @property
    def sender(self) -> str:
        """The account, or the link where it is not known."""
        return self.account or self.link


def recent_mails(mails: Iterable[AccountMail], *, now: datetime) -> list[AccountMail]:
    """The mails of the last day."""
    return [mail for mail in mails if mail.at > now - WINDOW]


def not_mailed(recent: Sequence[AccountMail], mailbox: str, *, allowance: int) -> NotMailed | None:
    """Say why another mail to the mailbox would be too many; `None` if it would not.

    The allowance counts mailboxes: any number of aliases of one mailbox are one.
    """
    to_mailbox = sum(mail.mailbox == mailbox for mail in recent)
    if to_mailbox >= SHARE_OF_MAILBOX:
        return NotMailed.MAILBOX_SHARE
    if not to_mailbox and len({mail.mailbox for mail in recent}) >= allowance:
        return NotMailed.ALLOWANCE
    return None


def accepted_mailboxes(members: Iterable[Membership]) -> int:
    """How many mailboxes belong to members who were invited, without the owner's own."""
    members = list(members)
    own = {mailbox_key(one.email_key) for one in members if one.invited_by is None}
    invited = {mailbox_key(one.email_key) for one in members if one.invited_by is not None}
    return len(invited - own)


def allowance(accepted: int, *, first: int, most: int) -> int:
    """The mailboxes that an account may mail in a day; it grows with accepted invitations."""
    return min(most, first * (1 + accepted))


def take_place(
    places: Iterable[MailboxPlace], place: MailboxPlace, *, limit: int
) -> list[MailboxPlace] | None:
    """The mails of the last day to a mailbox, with this one; `None` if they would be too many.

    Another attempt to send a mail takes no second place.
    """
    recent = [one for one in places if one.at > place.at - WINDOW]
    if any(one.link == place.link for one in recent):
        return recent
    return [*recent, place] if _has_room(recent, place, limit=limit) else None


def _has_room(recent: Sequence[MailboxPlace], place: MailboxPlace, *, limit: int) -> bool:
    """Whether the part of the mailbox that the mail belongs to has room.

    One fifth is for repeats: a later mail of an account never takes the place of another account's
    first one. Of the first mails, one fifth is kept for established accounts.
    """
    firsts: dict[str, MailboxPlace] = {}
    for one in recent:
        firsts.setdefault(one.sender, one)
    for_repeats = limit // 5
    if place.sender in firsts:
        return len(recent) - len(firsts) < for_repeats
    if len(firsts) >= limit - for_repeats:
        return False
    for_new = max(1, limit - for_repeats - max(1, limit // 5))
    return place.established or sum(not one.established for one in firsts.values()) < for_new
