"""Why an invitation cannot be accepted as it is, in words, for the members who invite."""

from collections.abc import Mapping
from typing import Literal

from services.team.domain.invitation_mails import NotMailed
from services.team.domain.invitations import Invitation
from shared.contracts.notification import BounceCause
from shared.http.routes import Answer

_WHY = {
    NotMailed.MAILBOX_SHARE: "The account has sent two invitation mails to this mailbox within 24"
    " hours.",
    NotMailed.ALLOWANCE: "The account has used up its invitation mails of 24 hours. Each accepted"
    " invitation increases their number.",
    NotMailed.BOUNCED: "The mail could not be delivered: the mail server of the address refused it,"
    " or could not be reached for three days.",
}
_BECAUSE: Mapping[str | None, str] = {
    BounceCause.NO_SUCH_MAILBOX: "The mail could not be delivered: its mail server says that the"
    " mailbox does not exist.",
    BounceCause.MAILBOX_FULL: "The mail could not be delivered: the mailbox is full.",
    BounceCause.REFUSED: "The mail could not be delivered: the mail server of the address refused"
    " it.",
    BounceCause.NOT_REACHED: "The mail could not be delivered: the mail server of the address could"
    " not be reached for three days, or did not take it.",
}
_EARLIER_LINK = "A link of this invitation that was mailed before still works."
_RESEND_LATER = "Send the invitation again in 24 hours."
_HAND_OVER = (
    "Delete it, create another with the delivery `link` if the catalog offers it, and hand the link"
    " over."
)
_CHECK_ADDRESS = "Check the address. If it is wrong, delete the invitation and create another."
_RESEND_IF_RIGHT = "If it is right and takes mails again, send the invitation again."
_LOCKED = "Too many wrong codes were entered, so the link of this invitation opens nothing."
_RESEND_NOW = "Send the invitation again: it gets another link and another code."
_CREATE_ANOTHER = "Delete it and create another."


class NotMailedView(Answer):
    """Why the newest mail of an invitation did not reach its mailbox, and what to do.

    `because` says why a mail bounced: `no-such-mailbox`, `mailbox-full`, `refused` or
    `not-reached`.
    """

    reason: NotMailed
    because: str | None = None
    detail: str


class LockedView(Answer):
    """Why the link of an invitation opens nothing although its time is not over."""

    reason: Literal["wrong-codes"] = "wrong-codes"
    detail: str


def not_mailed_view(invitation: Invitation, *, resend: bool) -> NotMailedView | None:
    """Why an invitation was not mailed, with what to do; `resend` is offered or not."""
    reason = invitation.shown_not_mailed
    if reason is None:
        return None
    if reason is NotMailed.BOUNCED:
        advice = [_CHECK_ADDRESS, _RESEND_IF_RIGHT if resend else ""]
    else:
        works = not invitation.locked and invitation.mailable
        advice = [_EARLIER_LINK if works else "", _RESEND_LATER if resend else "", _HAND_OVER]
    because = invitation.bounced_because if reason is NotMailed.BOUNCED else None
    why = _BECAUSE.get(because, _WHY[reason])
    detail = " ".join(filter(None, [why, *advice]))
    return NotMailedView(reason=reason, because=because, detail=detail)


def locked_view(invitation: Invitation, *, resend: bool) -> LockedView | None:
    """Why the link opens nothing, with what to do."""
    if not invitation.locked:
        return None
    advice = _RESEND_NOW if resend else _CREATE_ANOTHER
    return LockedView(detail=f"{_LOCKED} {advice}")
