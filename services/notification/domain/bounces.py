"""Why a mail could not be delivered, as its mail server says (RFC 3463, RFC 5321)."""

import re

from shared.contracts.notification import BounceCause

_REPLY = re.compile(r"(?P<code>[245][0-9]{2})\b[ -]*(?P<status>[245]\.[0-9]{1,3}\.[0-9]{1,3})?")
_STATUSES = {
    "5.1.1": BounceCause.NO_SUCH_MAILBOX,
    "5.1.2": BounceCause.NO_SUCH_MAILBOX,
    "5.1.3": BounceCause.NO_SUCH_MAILBOX,
    "5.1.6": BounceCause.NO_SUCH_MAILBOX,
    "5.1.10": BounceCause.NO_SUCH_MAILBOX,
    "5.2.1": BounceCause.NO_SUCH_MAILBOX,
    "5.2.2": BounceCause.MAILBOX_FULL,
}
_CODES = {"551": BounceCause.NO_SUCH_MAILBOX, "552": BounceCause.MAILBOX_FULL}
"""Codes that say why without an enhanced status. 550 and 554 stand for many reasons."""


def cause_of(reply: str) -> BounceCause:
    """What the last reply of the mail server says; a status counts before the code."""
    found = _REPLY.match(reply)
    if found is None or found["code"][0] == "4":
        return BounceCause.NOT_REACHED
    if found["status"] is not None:
        return _STATUSES.get(found["status"], BounceCause.REFUSED)
    return _CODES.get(found["code"], BounceCause.REFUSED)
