"""What ends a visit before its page: a session or a membership that is over."""

from services.console.adapters.api import ApiRefusal

STEP_UP_REQUIRED = "step-up-required"
PROOF_REFUSALS = frozenset({STEP_UP_REQUIRED, "otp-required", "wrong-otp"})
"""What the API says with 401 of a session that lives: its user proves again who they are."""


def ends_session(refusal: ApiRefusal) -> bool:
    """Whether the session of a request has ended: a proof is asked of one that lives."""
    return refusal.status == 401 and refusal.code not in PROOF_REFUSALS


class SignedOut(Exception):  # noqa: N818 - it names what was found
    """The page needs a session; `ended` is the mark of one that does not live any more."""

    def __init__(self, ended: str = "") -> None:
        super().__init__()
        self.ended = ended


class AccountGone(Exception):  # noqa: N818 - it names what was found
    """The visitor is not a member of the account of the page, or it does not exist."""


class FormerSessionLives(Exception):  # noqa: N818 - it names what was found
    """A sign-in is dropped: the session before it cannot be ended at the moment."""
