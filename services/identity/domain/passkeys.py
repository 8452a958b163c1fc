"""Passkeys of a user (WebAuthn): each is two factors, its device and its unlocking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from services.identity.domain.users import User, payload_fields, user_fact
from shared.contracts.facts import Fact, Outcome
from shared.contracts.identity_passkeys import PasskeyCopySuspected
from shared.ids import SessionId, UserId
from shared.problems import NotFound, Refusal, RefusalKind

PASSKEY: Final = "passkey"
MAX_PASSKEYS = 10
CHALLENGE_LIFETIME = timedelta(minutes=5)
"""The time that a person has for the dialog of the browser."""
_ID_DIGITS = 32


class PasskeyChallengeOver(Refusal):
    """The challenge is forged, another user's, used or too old; the answer is the same."""

    kind = RefusalKind.GONE
    code = "passkey-challenge-over"
    detail = "This challenge is not valid any more. Begin again."


class PasskeyRefused(Refusal):
    """The credential proves nothing here; the answer does not tell why."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "passkey-refused"
    detail = (
        "This passkey is not accepted. Use one that was added to your user here and that asks for"
        " your fingerprint, face or PIN, or sign in another way."
    )


class PasskeyKnown(Refusal):
    """The passkey was added before."""

    kind = RefusalKind.CONFLICT
    code = "passkey-known"
    detail = "This passkey was added before. Add another one, or remove it first."


class TooManyPasskeys(Refusal):
    """The user has as many passkeys as one user may have."""

    kind = RefusalKind.CONFLICT
    code = "too-many-passkeys"
    detail = "A user has at most {limit} passkeys. Remove one first."

    def __init__(self) -> None:
        super().__init__(limit=MAX_PASSKEYS)


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """A passkey; `credential` is the authenticator's own id for it, in base64url.

    It is kept among the second factors of its user, whom the authenticator names.
    """

    passkey_id: str
    credential: str
    public_key: bytes
    sign_count: int
    name: str
    added_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PasskeyChallenge:
    """What an authenticator has to sign. A sealed text has it, and no database.

    `user_id` and `session_id` are of the user who adds a passkey, or `None`: before a sign-in it is
    not known who comes.
    """

    challenge: str
    begun_at: datetime
    user_id: UserId | None = None
    session_id: SessionId | None = None

    @property
    def key(self) -> str:
        """What is kept of a used challenge."""
        return sha256(f"passkey\0{self.challenge}".encode()).hexdigest()

    @property
    def ends_at(self) -> datetime:
        """The moment after which no answer counts."""
        return self.begun_at + CHALLENGE_LIFETIME


@dataclass(frozen=True, slots=True)
class PasskeyProof:
    """A passkey that has signed a challenge, with its new counter, at this moment."""

    passkey: Passkey
    sign_count: int
    at: datetime


def passkey_id(credential: str) -> str:
    """The id of a passkey in addresses of routes."""
    return f"pky_{sha256(credential.encode()).hexdigest()[:_ID_DIGITS]}"


def check_challenge(
    opened: PasskeyChallenge | None,
    *,
    now: datetime,
    user_id: UserId | None = None,
    session_id: SessionId | None = None,
) -> PasskeyChallenge:
    """Check that a challenge was made for this purpose, user and session, and is not too old.

    Raises:
        PasskeyChallengeOver: it was not.
    """
    if (
        opened is None
        or (opened.user_id, opened.session_id) != (user_id, session_id)
        or now >= opened.ends_at
    ):
        raise PasskeyChallengeOver
    return opened


def find(passkeys: Sequence[Passkey], wanted: str) -> Passkey | None:
    """Return the passkey with this id."""
    return next((one for one in passkeys if one.passkey_id == wanted), None)


def require_room(passkeys: Sequence[Passkey]) -> None:
    """Check that the user may have one passkey more.

    Raises:
        TooManyPasskeys.
    """
    if len(passkeys) >= MAX_PASSKEYS:
        raise TooManyPasskeys


def with_new(passkeys: Sequence[Passkey], new: Passkey) -> tuple[Passkey, ...]:
    """Add a passkey.

    Raises:
        TooManyPasskeys, PasskeyKnown.
    """
    require_room(passkeys)
    if find(passkeys, new.passkey_id) is not None:
        raise PasskeyKnown
    return (*passkeys, new)


def renamed(passkeys: Sequence[Passkey], wanted: str, name: str) -> tuple[Passkey, ...]:
    """Give a passkey another name.

    Raises:
        NotFound: the user has no such passkey.
    """
    if find(passkeys, wanted) is None:
        raise NotFound
    return tuple(replace(one, name=name) if one.passkey_id == wanted else one for one in passkeys)


def without(passkeys: Sequence[Passkey], wanted: str) -> tuple[Passkey, ...]:
    """Remove a passkey.

    Raises:
        NotFound: the user has no such passkey.
    """
    if find(passkeys, wanted) is None:
        raise NotFound
    return tuple(one for one in passkeys if one.passkey_id != wanted)


def counter_went_back(passkey: Passkey, sign_count: int) -> bool:
    """Whether a counter tells that there are two authenticators with one key.

    Passkeys that are kept in a cloud do not count: theirs is always 0.
    """
    return (sign_count, passkey.sign_count) != (0, 0) and sign_count <= passkey.sign_count


def use(passkeys: Sequence[Passkey], proof: PasskeyProof) -> tuple[Passkey, ...]:
    """Count the use of a passkey.

    Raises:
        PasskeyRefused: it was removed meanwhile, or another request has counted as far.
    """
    current = find(passkeys, proof.passkey.passkey_id)
    if (
        current is None
        or current.public_key != proof.passkey.public_key
        or counter_went_back(current, proof.sign_count)
    ):
        raise PasskeyRefused
    counted = replace(current, sign_count=proof.sign_count, used_at=proof.at)
    return tuple(counted if one is current else one for one in passkeys)


def copy_suspected(user: User, passkey: Passkey) -> Fact:
    """Make the fact that a passkey was refused because its counter went back."""
    payload = PasskeyCopySuspected(**payload_fields(user), passkey=passkey.name)
    return replace(user_fact(user, payload), outcome=Outcome.DENIED, reason=PasskeyRefused.code)
