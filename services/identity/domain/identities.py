"""Identities: by which issuer and subject a user signs in besides the password (B16)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from services.identity.domain.id_tokens import IssuedIdentity
from services.identity.domain.sso_connections import SsoConnection
from services.identity.domain.users import User, payload_fields, user_fact
from shared.addresses import Address, parse_address
from shared.contracts.facts import Fact
from shared.contracts.identity import UserIdentityLinked, UserIdentityUnlinked, UserVerified
from shared.ids import IdentityId, UserId
from shared.names import parse_name
from shared.problems import Refusal, RefusalKind

MAX_IDENTITIES = 10
_ID_DIGITS = 32


class LinkedBy(StrEnum):
    """How an identity came to its user."""

    SIGN_UP = "sign_up"
    """The user was made for it."""
    ADDRESS = "address"
    """The issuer speaks for the user's address."""
    USER = "user"
    """The signed-in user did it."""


class IdentityNotLinked(Refusal):
    """The identity is not linked, and the issuer's word is not enough to link it.

    The answer is the same whether the address has a user or not (`T9`).
    """

    kind = RefusalKind.DENIED
    code = "identity-not-linked"
    detail = (
        "This identity is not linked to a user here, and its service may not vouch for the"
        " address. Sign in another way or sign up, then link it in your settings."
    )


class IdentityTaken(Refusal):
    """The identity is linked to another user."""

    kind = RefusalKind.CONFLICT
    code = "identity-taken"
    detail = "This identity is linked to another user. Sign in with it, and unlink it there first."


class TooManyIdentities(Refusal):
    """The user has as many identities as one user may have."""

    kind = RefusalKind.CONFLICT
    code = "too-many-identities"
    detail = "A user has at most {limit} identities. Unlink one first."

    def __init__(self) -> None:
        super().__init__(limit=MAX_IDENTITIES)


class LastSignIn(Refusal):
    """Without this identity or passkey the user could not sign in any more."""

    kind = RefusalKind.CONFLICT
    code = "last-sign-in"
    detail = (
        "This is your only way to sign in. Set a password first: ask for a reset of the password,"
        " and open the link in the mail."
    )


@dataclass(frozen=True, kw_only=True)
class LinkedIdentity:
    """An identity of a user. The id comes from issuer and subject, so there is one of each."""

    id: IdentityId
    user_id: UserId
    issuer: str
    subject: str
    connection_id: str
    label: str
    email: str | None
    linked_at: datetime


def identity_id(issuer: str, subject: str) -> IdentityId:
    """The id of an identity: 128 bits of a hash, for which no second pair can be found."""
    digest = sha256(f"{issuer}\0{subject}".encode()).hexdigest()
    return IdentityId(f"idn_{digest[:_ID_DIGITS]}")


def linked(
    issued: IssuedIdentity, connection: SsoConnection, *, user_id: UserId, now: datetime
) -> LinkedIdentity:
    """The row that links an identity to a user."""
    return LinkedIdentity(
        id=identity_id(issued.issuer, issued.subject),
        user_id=user_id,
        issuer=issued.issuer,
        subject=issued.subject,
        connection_id=connection.id,
        label=connection.label,
        email=issued.email,
        linked_at=now,
    )


def trusted_address(issued: IssuedIdentity, connection: SsoConnection) -> Address:
    """The address that the issuer vouches for, and whose user the identity may be linked to.

    Raises:
        IdentityNotLinked: the issuer has not verified one, or may not speak for its domain.
    """
    try:
        address = parse_address(issued.email or "")
    except ValueError:
        raise IdentityNotLinked from None
    if not issued.email_verified or not connection.speaks_for(address.key):
        raise IdentityNotLinked
    return address


def shown_name(issued: IssuedIdentity, address: Address) -> str:
    """The name of a new user: the one that the issuer tells, if it may be a name here."""
    local = address.typed.rpartition("@")[0]
    for name in (issued.name or "", local.replace(".", " ").replace("_", " ")):
        try:
            return parse_name(name)
        except ValueError:
            continue
    return "New user"


def link(
    user: User, identity: LinkedIdentity, others: Sequence[LinkedIdentity], *, how: LinkedBy
) -> tuple[User, tuple[Fact, ...]]:
    """Link an identity to a user; the user's mailbox is told, unless the user is new.

    An issuer that speaks for the address has proved it. A password that was there before the proof
    may be a stranger's, and goes.

    Raises:
        TooManyIdentities: the user has no room for one more.
    """
    if len(others) >= MAX_IDENTITIES:
        raise TooManyIdentities
    payload = UserIdentityLinked(
        **payload_fields(user),
        identity_id=identity.id,
        issuer=identity.issuer,
        connection_id=identity.connection_id,
        label=identity.label,
        how=how.value,
    )
    fact = user_fact(user, payload, after={"issuer": identity.issuer, "how": how.value})
    if how is not LinkedBy.ADDRESS or user.verified_at is not None:
        return user, (fact,)
    proved = replace(
        user,
        verified_at=identity.linked_at,
        password_hash=None,
        password_imported=False,
        password_taken=user.password_hash is not None,
    )
    return proved, (user_fact(proved, UserVerified(**payload_fields(user))), fact)


def require_sign_in(user: User, linked: Sequence[LinkedIdentity], *, has_passkey: bool) -> None:
    """Check that a user who keeps these identities and passkeys can still sign in.

    Raises:
        LastSignIn: they have no password either.
    """
    if user.password_hash is None and not linked and not has_passkey:
        raise LastSignIn


def unlink(
    user: User,
    identity: LinkedIdentity,
    others: Sequence[LinkedIdentity],
    *,
    has_passkey: bool = False,
) -> Fact:
    """Take an identity from its user; `others` are those that stay.

    Raises:
        LastSignIn: no way to sign in would be left.
    """
    require_sign_in(user, others, has_passkey=has_passkey)
    payload = UserIdentityUnlinked(
        **payload_fields(user),
        identity_id=identity.id,
        issuer=identity.issuer,
        connection_id=identity.connection_id,
        label=identity.label,
    )
    return user_fact(user, payload, before={"issuer": identity.issuer})
