"""Users: their row and the facts about them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.contracts.facts import Actor, Caller, Fact, ResourceRef
from shared.contracts.identity import (
    UserRenamed,
    UserSignedUp,
    UserVerificationResent,
    UserVerified,
)
from shared.ids import AccountId, SessionId, UserId

UNVERIFIED_LIFETIME = timedelta(days=7)
"""A user who has not verified the address by then is deleted; the link works as long."""


@dataclass(frozen=True, kw_only=True)
class User:
    """A person with a sign-in; `account_id` is the personal account, created with the user.

    An address can have any number of unverified users, each with its own link, and at most one
    verified user. `generation` is the generation of the newest verification link.
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
        """Whether the user has proved that they read the address's mail."""
        return self.verified_at is not None

    def expired(self, now: datetime) -> bool:
        """Return whether the user did not verify the address in time."""
        return not self.verified and now >= self.created_at + UNVERIFIED_LIFETIME


def rename(user: User, name: str) -> tuple[User, tuple[Fact, ...]]:
    """Change the name of a user; without a change there is no fact."""
    if name == user.name:
        return user, ()
    renamed = replace(user, name=name)
    payload = UserRenamed(**payload_fields(renamed))
    return renamed, (user_fact(renamed, payload, before={"name": user.name}, after={"name": name}),)


def caller_as(caller: Caller, user: User, *, session_id: SessionId | None = None) -> Caller:
    """Return the caller with this user as its actor, once the request has proved who it is."""
    actor = Actor(
        type="user",
        id=user.id,
        name=user.name,
        email=user.email,
        session_id=session_id or caller.actor.session_id,
    )
    return Caller(actor=actor, request=caller.request)


def payload_fields(user: User) -> dict[str, str]:
    """Return the fields that every fact about a user has."""
    return {
        "user_id": user.id,
        "email": user.email,
        "name": user.name,
        "account_id": user.account_id,
    }


def user_fact(
    user: User,
    payload: UserSignedUp | UserVerified | UserVerificationResent | UserRenamed,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> Fact:
    """Make a fact about a user, in the user's personal account."""
    return Fact(
        payload=payload,
        resource=ResourceRef(type="user", id=user.id, name=user.name),
        account_id=user.account_id,
        before=before,
        after=after,
    )
