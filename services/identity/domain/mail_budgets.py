"""Mail budgets: how many mails strangers can have sent to one mailbox (`T14`).

A mail beyond a budget is not sent, and no new link is made, so the newest mailed link keeps
working. A window is therefore not longer than the time for which that link still works at least. A
stranger can use up the budget, but the mailbox then holds a link that works. When that link is used
or the password changes, the budget of resets begins anew.
"""

from datetime import timedelta
from enum import StrEnum

from services.identity.domain import password_reset
from services.identity.domain.rate_limits import RateLimit
from shared.ids import UserId
from shared.mailboxes import mailbox_key


class MailKind(StrEnum):
    """What a mail is for; each kind has a budget that the other cannot use up."""

    SIGN_UP = "sign-up"
    """The link of a sign-up, or the news that the address has a user already."""
    PASSWORD_RESET = "password-reset"  # noqa: S105 - the name of a mail
    ADDRESS = "address"
    """The link of a change of address, or the news that another user asked for the address."""


WINDOWS = {
    MailKind.SIGN_UP: timedelta(hours=6),
    MailKind.ADDRESS: timedelta(hours=6),
    MailKind.PASSWORD_RESET: password_reset.RESET_LIFETIME - password_reset.YOUNG_LINK,
}


def mail_budget(
    kind: MailKind,
    address_key: str,
    network: str,
    *,
    per_mailbox: int,
    requester: UserId | None = None,
) -> tuple[RateLimit, ...]:
    """Give what a mail counts against: the sender's shares of the mailbox, last the mailbox.

    One network has three fifths, and so has one signed-in user, from every network together. The
    rest is left to the mailbox's owner, who is elsewhere.
    """
    mailbox, window = mailbox_key(address_key), WINDOWS[kind]
    share = max(1, per_mailbox * 3 // 5)
    senders = [("mailbox-sender", kind, mailbox, network)]
    if requester is not None:
        senders.append(("mailbox-requester", kind, mailbox, requester))
    return (
        *(RateLimit(key=sender, limit=share, window=window) for sender in senders),
        RateLimit(key=("mailbox", kind, mailbox), limit=per_mailbox, window=window),
    )
