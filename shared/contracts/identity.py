"""The facts that identity records."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload


class _User(Payload):
    user_id: str
    email: str
    name: str
    account_id: str
    """The personal account's id, made with the user."""


class UserSignedUp(_User):
    """A user signed up; `verified` is true if an e-mailed invitation proved the address."""

    type: ClassVar[str] = "identity.user.signed_up.v1"
    verified: bool
    generation: int
    """Names the verification link to be mailed; unused when `verified`."""


class UserVerified(_User):
    """A user verified the address."""

    type: ClassVar[str] = "identity.user.verified.v1"


class UserVerificationResent(_User):
    """A user asked for another verification link; only this generation works from now on."""

    type: ClassVar[str] = "identity.user.verification_resent.v1"
    generation: int


class UserRenamed(_User):
    """A user changed their name."""

    type: ClassVar[str] = "identity.user.renamed.v1"


class SessionStarted(Payload):
    """A user signed in."""

    type: ClassVar[str] = "identity.session.started.v1"
    session_id: str
    user_id: str


class SessionRefused(Payload):
    """A sign-in or sign-up with the address of an existing user was refused."""

    type: ClassVar[str] = "identity.session.refused.v1"
    user_id: str
    code: str


class SessionEnded(Payload):
    """A session was ended by its user or by a rule of the platform."""

    type: ClassVar[str] = "identity.session.ended.v1"
    session_id: str
    user_id: str
    ended_at: datetime


class SessionReuseDetected(Payload):
    """An old refresh token was used again, and its session was ended."""

    type: ClassVar[str] = "identity.session.reuse_detected.v1"
    session_id: str
    user_id: str
    email: str
    name: str
    ended_at: datetime


class ServiceClientCreated(Payload):
    """The operator created a service client."""

    type: ClassVar[str] = "identity.service_client.created.v1"
    client_id: str
    name: str
    scopes: tuple[str, ...]


class SigningKeyCreated(Payload):
    """A key that signs access tokens was created."""

    type: ClassVar[str] = "identity.signing_key.created.v1"
    kid: str


FACTS: tuple[type[Payload], ...] = (
    UserSignedUp,
    UserVerified,
    UserVerificationResent,
    UserRenamed,
    SessionStarted,
    SessionRefused,
    SessionEnded,
    SessionReuseDetected,
    ServiceClientCreated,
    SigningKeyCreated,
)
