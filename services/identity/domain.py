"""Who is a user, when is an address proved, and what follows from each step?

Pure: ids, times and secrets are handed in. A function that decides gives the new state and the
facts that follow from it, or raises the refusal.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.identity.sessions import UserSession
from shared.contracts.facts import Actor, Caller, Fact, Outcome, ResourceRef
from shared.contracts.identity import (
    SessionRefused,
    UserRenamed,
    UserSignedUp,
    UserVerificationResent,
    UserVerified,
)
from shared.ids import AccountId, UserId
from shared.problems import Refusal, RefusalKind

UNVERIFIED_LIFETIME = timedelta(days=7)
"""A user who does not verify for so long never was; the link works as long."""
VERIFY_AGAIN = timedelta(minutes=10)
"""A used link answers once more for so long: the first answer may have been lost on its way."""


EMAIL_NOT_VERIFIED = "email-not-verified"
"""Why the right password opened nothing; only the audit log says it.

Who signs up with an address and then in would learn by it that the address had no user (`T9`).
"""


class WrongCredentials(Refusal):
    """Unknown address, wrong password or an address not proved yet; never which."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "wrong-credentials"
    detail = (
        "The address or the password is wrong, or the address is not verified yet: "
        "open the link that was mailed."
    )


class LinkInvalid(Refusal):
    """Not ours, used, superseded or too old: alike."""

    kind = RefusalKind.GONE
    code = "link-invalid"
    detail = "This link does not work, or no longer. Ask for another."


class AccountExists(Refusal):
    """Said only to who proved to read the address's mail, by an e-mailed invitation."""

    kind = RefusalKind.CONFLICT
    code = "account-exists"
    detail = "This address has a user already: sign in, then accept the invitation."


@dataclass(frozen=True, kw_only=True)
class User:
    """A person with a sign-in; `account_id` is the personal account, made with the user.

    Any number of unverified users may hold an address, each with a link of its own; one verified
    user at most. `generation` is that of the newest verification link.
    """

    id: UserId
    email: str
    email_key: str
    name: str
    password_hash: str
    account_id: AccountId
    created_at: datetime
    generation: int = 1
    verified_at: datetime | None = None

    @property
    def verified(self) -> bool:
        """Whether the person proved to read the address's mail."""
        return self.verified_at is not None

    def lapsed(self, now: datetime) -> bool:
        """Whether the time to verify is over."""
        return not self.verified and now >= self.created_at + UNVERIFIED_LIFETIME


def sign_up(user: User) -> tuple[Fact, ...]:
    """A new user; where the invitation's mail proved the address, it is verified at once."""
    told = UserSignedUp(**_person(user), verified=user.verified, generation=user.generation)
    facts = (_fact(user, told, after={"email": user.email, "name": user.name}),)
    return (*facts, _verified(user)) if user.verified else facts


def verify(
    user: User, *, generation: int, holder: User | None, now: datetime
) -> tuple[User, tuple[Fact, ...]]:
    """The user of a link proves the address; `holder` is its verified user, if there is one.

    Raises:
        LinkInvalid: the link was used some time ago, is superseded or too old, or another user
            proved the address first.
    """
    if user.verified_at is not None:
        if generation != user.generation or now > user.verified_at + VERIFY_AGAIN:
            raise LinkInvalid
        return user, ()
    if generation != user.generation or user.lapsed(now) or holder is not None:
        raise LinkInvalid
    proved = replace(user, verified_at=now)
    return proved, (_verified(proved),)


def resend(user: User) -> tuple[User, Fact]:
    """Another verification link; the ones before stop working."""
    again = replace(user, generation=user.generation + 1)
    return again, _fact(
        again, UserVerificationResent(**_person(again), generation=again.generation)
    )


def rename(user: User, name: str) -> tuple[User, tuple[Fact, ...]]:
    """Another shown name; nothing happens when it is the same."""
    if name == user.name:
        return user, ()
    renamed = replace(user, name=name)
    told = UserRenamed(**_person(renamed))
    return renamed, (_fact(renamed, told, before={"name": user.name}, after={"name": name}),)


def refused(user: User, code: str) -> Fact:
    """The record, for the user, that somebody tried with their address, and why in vain."""
    return Fact(
        payload=SessionRefused(user_id=user.id, code=code),
        resource=ResourceRef(type="user", id=user.id, name=user.name),
        account_id=user.account_id,
        outcome=Outcome.DENIED,
        reason=code,
    )


def acting(caller: Caller, user: User, session: UserSession | None = None) -> Caller:
    """The caller, once it is known that it is this user."""
    actor = Actor(
        type="user",
        id=user.id,
        name=user.name,
        email=user.email,
        session_id=session.id if session else caller.actor.session_id,
    )
    return Caller(actor=actor, request=caller.request)


def _verified(user: User) -> Fact:
    return _fact(user, UserVerified(**_person(user)))


def _person(user: User) -> dict[str, str]:
    return {
        "user_id": user.id,
        "email": user.email,
        "name": user.name,
        "account_id": user.account_id,
    }


def _fact(
    user: User,
    payload: UserSignedUp | UserVerified | UserVerificationResent | UserRenamed,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> Fact:
    return Fact(
        payload=payload,
        resource=ResourceRef(type="user", id=user.id, name=user.name),
        account_id=user.account_id,
        before=before,
        after=after,
    )
