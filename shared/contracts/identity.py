"""The facts that identity records."""

from datetime import datetime
from typing import ClassVar

from shared.contracts import identity_clients, identity_tokens
from shared.contracts.facts import Payload
from shared.contracts.identity_access import AccessBesidePassword


class _User(Payload):
    user_id: str
    email: str
    name: str
    account_id: str
    """The personal account's id, made with the user."""


class SignUpRequested(Payload):
    """A sign-up waits for the proof of its address; a mail with the link is to be sent."""

    type: ClassVar[str] = "identity.sign_up.requested.v1"
    sign_up_id: str
    email: str
    name: str
    generation: int
    """Names the link to be mailed; a repeated sign-up has the same one while it is young."""
    expires_at: datetime
    """The end of the link."""
    locale: str = "en"
    """The language of the mail: the one that the browser of the sign-up prefers."""


class _LocalizedUser(_User):
    locale: str = "en"
    """The language in which the product writes to the user."""
    time_zone: str = "UTC"
    """The time zone of the moments that it names to the user."""


class UserSignedUp(_LocalizedUser):
    """A user signed up; `verified` is false only in facts of earlier versions."""

    type: ClassVar[str] = "identity.user.signed_up.v1"
    verified: bool
    generation: int
    """Unused when `verified`."""


class UserVerified(_User):
    """A user verified the address."""

    type: ClassVar[str] = "identity.user.verified.v1"


class UserProvisioned(_LocalizedUser):
    """A service client of the platform made a user; `verified` is what it says of the address."""

    type: ClassVar[str] = "identity.user.provisioned.v1"
    client_id: str
    external_id: str
    verified: bool


class UserLinked(_User):
    """A service client of the platform knows an existing user by an id of its own."""

    type: ClassVar[str] = "identity.user.linked.v1"
    client_id: str
    external_id: str


class UserPasswordImported(_User):
    """A service client replaced a password that it had imported and that was not used yet."""

    type: ClassVar[str] = "identity.user.password_imported.v1"
    client_id: str


class UserVerificationResent(_User):
    """Of earlier versions: an unverified user asked for another link; such links do not work."""

    type: ClassVar[str] = "identity.user.verification_resent.v1"
    generation: int


class UserSignUpRefused(_User):
    """A sign-up named the address of this user; a mail tells them."""

    type: ClassVar[str] = "identity.user.sign_up_refused.v1"


class UserPasswordResetRequested(_User):
    """A reset of the password was requested; a mail with the link is to be sent."""

    type: ClassVar[str] = "identity.user.password_reset_requested.v1"
    generation: int
    """Names the link to be mailed; a repeated request has the same one while it is young."""
    expires_at: datetime
    """The end of the link."""


class UserPasswordChanged(_User):
    """The password was replaced: `by_reset` with a mailed link, which also ended other access."""

    type: ClassVar[str] = "identity.user.password_changed.v1"
    by_reset: bool
    ended: AccessBesidePassword = AccessBesidePassword()
    left: AccessBesidePassword = AccessBesidePassword()


class SecondFactorAdded(_User):
    """A user added a `totp` or a `passkey`; a first factor has a link that takes it back."""

    type: ClassVar[str] = "identity.user.second_factor_added.v1"
    kind: str
    beginning: int | None = None
    take_back_until: datetime | None = None


class SecondFactorRemoved(_User):
    """A factor of a user was removed; if taken back, by the mailed link, with the password."""

    type: ClassVar[str] = "identity.user.second_factor_removed.v1"
    kind: str
    taken_back: bool = False


class RecoveryCodesReplaced(_User):
    """A user made new recovery codes; the earlier ones stopped working."""

    type: ClassVar[str] = "identity.user.recovery_codes_replaced.v1"


class RecoveryCodeUsed(_User):
    """A user proved who they are with a recovery code; `left` are those that are left."""

    type: ClassVar[str] = "identity.user.recovery_code_used.v1"
    left: int


class UserRenamed(_User):
    """A user changed their name."""

    type: ClassVar[str] = "identity.user.renamed.v1"


class UserLocaleChanged(_LocalizedUser):
    """A user chose another language or time zone."""

    type: ClassVar[str] = "identity.user.locale_changed.v1"


class _Identity(_User):
    identity_id: str
    issuer: str
    connection_id: str
    label: str


class UserIdentityLinked(_Identity):
    """A user can sign in with an issuer from now on; a mail tells them, unless they are new."""

    type: ClassVar[str] = "identity.user.identity_linked.v1"
    how: str
    """`sign_up` made the user, `address`: the issuer has proved it, `user`: they did it."""


class UserIdentityUnlinked(_Identity):
    """A user cannot sign in with an issuer any more; a mail tells them."""

    type: ClassVar[str] = "identity.user.identity_unlinked.v1"


class UserDisabled(_User):
    """The operator disabled a user: every check of theirs denies, and a mail tells them why."""

    type: ClassVar[str] = "identity.user.disabled.v1"
    explanation: str


class UserEnabled(_User):
    """The operator enabled a user again, whom a mail tells."""

    type: ClassVar[str] = "identity.user.enabled.v1"


class UserUnlocked(_User):
    """The operator gave a user the failed attempts of the last minutes back."""

    type: ClassVar[str] = "identity.user.unlocked.v1"


class SessionStarted(Payload):
    """A user signed in."""

    type: ClassVar[str] = "identity.session.started.v1"
    session_id: str
    user_id: str
    device: str = ""
    network: str = ""
    place: str = ""
    new_device: bool = False
    """Whether a mail tells the user of a device and network that were not seen before."""
    email: str = ""
    name: str = ""
    """Where the mail goes; empty without one."""
    connection_id: str | None = None
    """Through which issuer, if the user did not sign in here."""


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


class SigningKeyCreated(Payload):
    """A key that signs access tokens was created."""

    type: ClassVar[str] = "identity.signing_key.created.v1"
    kid: str


class SigningKeyActivated(Payload):
    """A key began to sign access tokens."""

    type: ClassVar[str] = "identity.signing_key.activated.v1"
    kid: str


class SigningKeyRetired(Payload):
    """A key stopped to sign; its tokens are valid until their end."""

    type: ClassVar[str] = "identity.signing_key.retired.v1"
    kid: str


class SigningKeyRevoked(Payload):
    """The operator revoked a key: no service accepts its tokens any more."""

    type: ClassVar[str] = "identity.signing_key.revoked.v1"
    kid: str


FACTS: tuple[type[Payload], ...] = (
    SignUpRequested,
    UserSignedUp,
    UserVerified,
    UserProvisioned,
    UserLinked,
    UserPasswordImported,
    UserVerificationResent,
    UserSignUpRefused,
    UserPasswordResetRequested,
    UserPasswordChanged,
    SecondFactorAdded,
    SecondFactorRemoved,
    RecoveryCodesReplaced,
    RecoveryCodeUsed,
    UserRenamed,
    UserLocaleChanged,
    UserIdentityLinked,
    UserIdentityUnlinked,
    UserDisabled,
    UserEnabled,
    UserUnlocked,
    SessionStarted,
    SessionRefused,
    SessionEnded,
    SessionReuseDetected,
    *identity_clients.FACTS,
    *identity_tokens.FACTS,
    SigningKeyCreated,
    SigningKeyActivated,
    SigningKeyRetired,
    SigningKeyRevoked,
)
