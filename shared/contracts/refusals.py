"""Refusals that one service makes and another passes on to its caller."""

from shared.problems import Refusal, RefusalKind


class InvitationNotValid(Refusal):
    """The invitation is unknown, used, expired, revoked, superseded or for another user.

    The answer is the same for each (`T12`).
    """

    kind = RefusalKind.GONE
    code = "invitation-not-valid"
    detail = "This invitation is not valid, or not for you. Ask the sender for a new one."


class InvitationsPaused(Refusal):
    """The account is suspended or being deleted, so the mails of its invitations wait."""

    kind = RefusalKind.RATE_LIMITED
    code = "invitations-paused"
    detail = "The account sends no invitations at the moment. Send this one later."


class MailboxFull(Refusal):
    """The mailbox had its invitation mails of the day, so this one has to wait (`T14`).

    Only notification is told. An account that was told would learn who else invites the address.
    """

    kind = RefusalKind.RATE_LIMITED
    code = "mailbox-full"
    detail = "The mailbox has reached its limit of invitation mails. Send this one later."


class RepeatedInBatch(Refusal):
    """Two entries of one request are about the same user."""

    kind = RefusalKind.CONFLICT
    code = "repeated-in-batch"
    detail = "An earlier entry of this request has the same {field}. Send one entry for each user."


class HistoryUnavailable(Refusal):
    """What the answer about a past time rests on is not kept."""

    kind = RefusalKind.GONE
    code = "history-unavailable"
    detail = (
        "The history of this account is not complete for that time. It begins at {oldest}."
        " Ask about a later time."
    )
