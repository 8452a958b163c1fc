"""The second step of a sign-in with an issuer: the code of the user's second factor."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.identity.domain.id_tokens import IssuedIdentity
from services.identity.domain.mfa import OtpRequired
from services.identity.domain.sso_sign_in import SsoSignInOver

CONTINUATION_LIFETIME = timedelta(minutes=5)
"""The time that a person has for the code."""


class SsoOtpRequired(OtpRequired):
    """The issuer has proved the person, and the user has a second factor."""

    detail = (
        "A second factor is needed. Send `continuation` with `otp`, the code of the app or a"
        " recovery code, to POST /v1/login/oidc/continue within five minutes. A passkey signs you"
        " in instead."
    )

    def __init__(self, continuation: str) -> None:
        super().__init__(continuation=continuation)


@dataclass(frozen=True, kw_only=True)
class SsoContinuation:
    """A person whom an issuer has proved, until the code; a sealed text has it, and no database."""

    connection_id: str
    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None
    begun_at: datetime


def continuation_of(
    issued: IssuedIdentity, *, connection_id: str, now: datetime
) -> SsoContinuation:
    """Begin the second step of a proved person."""
    return SsoContinuation(
        connection_id=connection_id,
        issuer=issued.issuer,
        subject=issued.subject,
        email=issued.email,
        email_verified=issued.email_verified,
        name=issued.name,
        begun_at=now,
    )


def check_continuation(opened: SsoContinuation | None, *, now: datetime) -> SsoContinuation:
    """Check that a second step was begun here, and is not too old.

    Raises:
        SsoSignInOver: it was not.
    """
    if opened is None or not opened.begun_at <= now < opened.begun_at + CONTINUATION_LIFETIME:
        raise SsoSignInOver
    return opened


def issued_identity(continuation: SsoContinuation) -> IssuedIdentity:
    """The identity as the issuer proved it in the first step."""
    return IssuedIdentity(
        issuer=continuation.issuer,
        subject=continuation.subject,
        email=continuation.email,
        email_verified=continuation.email_verified,
        name=continuation.name,
        claims={},
    )
