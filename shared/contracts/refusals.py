"""Refusals that one service makes and another passes on to its caller."""

from shared.problems import Refusal, RefusalKind


class InvitationNotValid(Refusal):
    """The invitation is unknown, used, expired, revoked, superseded or for another user.

    The answer is the same for each (`T12`).
    """

    kind = RefusalKind.GONE
    code = "invitation-not-valid"
    detail = "This invitation is not valid, or not for you. Ask the sender for a new one."
