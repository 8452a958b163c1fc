"""Step-up: some requests need a user who has proved who they are a short time ago (RFC 9470)."""

from datetime import datetime, timedelta

from shared.problems import Refusal, RefusalKind

PROOF_LIFETIME = timedelta(minutes=5)
"""How long a sign-in or a step-up counts as fresh."""
MAX_CLOCK_SKEW = timedelta(seconds=5)


class StepUpRequired(Refusal):
    """The user has not proved lately who they are; another proof in the same session helps."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "step-up-required"
    detail = (
        "This needs a proof of who you are that is not older than five minutes. Send a passkey, the"
        " code of your second factor, or the password if you have no second factor, to POST"
        " /v1/me/step-up. Then send the request again with the access token of its answer. A new"
        " sign-in is such a proof, too."
    )


def is_fresh(proved_at: datetime | None, *, now: datetime) -> bool:
    """Return whether a proof of this moment still counts; one of the future never does."""
    return proved_at is not None and proved_at - MAX_CLOCK_SKEW <= now < proved_at + PROOF_LIFETIME


def require_fresh(proved_at: datetime | None, *, now: datetime) -> None:
    """Check that a proof still counts.

    Raises:
        StepUpRequired: there is none, or it is too old.
    """
    if not is_fresh(proved_at, now=now):
        raise StepUpRequired
