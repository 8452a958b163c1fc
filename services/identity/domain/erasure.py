"""Erasure: a user deletes themselves. A tombstone without name and address denies all they had."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.identity.domain import disabled_users, factor_facts
from services.identity.domain.mfa import SecondFactors
from services.identity.domain.users import User
from shared.addresses import parse_address
from shared.contracts.facts import Caller, Fact, ResourceRef
from shared.contracts.identity_erasure import UserErased
from shared.ids import UserId
from shared.problems import Invalid, Refusal, RefusalKind

TOMBSTONE_LIFETIME = timedelta(days=30)
"""How long an erased user is known as one whom every check denies; all else has ended long ago."""


FAREWELL_LIFETIME = timedelta(days=3)
"""How long name and address wait for the last mail: as long as one is tried."""


@dataclass(frozen=True, kw_only=True)
class Farewell:
    """To whom the last mail to an erased user goes, until it is sent."""

    user_id: UserId
    email: str
    name: str
    delete_at: datetime


class OwnsTeams(Refusal):
    """The user owns accounts that other members would lose."""

    kind = RefusalKind.CONFLICT
    code = "owns-teams"
    detail = (
        "You own accounts that have other members: {accounts}. Transfer or delete each of them"
        " first."
    )


def require_confirmation(user: User, confirm: str) -> None:
    """Check that the user has typed their own address; case does not count.

    Raises:
        Invalid: it is another text.
    """
    try:
        key = parse_address(confirm).key
    except ValueError:
        key = None
    if key != user.email_key:
        raise Invalid(errors=[("/query/confirm", "Must be your own e-mail address.")])


def nameless(user: User) -> User:
    """The user without name and address, for what is recorded of the end."""
    return replace(user, email="", email_key="", name="")


def nameless_caller(caller: Caller) -> Caller:
    """The caller without name and address: the record of the end keeps neither."""
    return replace(caller, actor=caller.actor.model_copy(update={"name": None, "email": None}))


def farewell(user: User, *, now: datetime) -> Farewell:
    """Keep what the last mail needs."""
    return Farewell(
        user_id=user.id, email=user.email, name=user.name, delete_at=now + FAREWELL_LIFETIME
    )


def erase(user: User, *, now: datetime, rev: int) -> tuple[User, Fact]:
    """Make the tombstone of a user and the fact of the end, which denies all that is left."""
    tombstone = User(
        id=user.id,
        email="",
        email_key="",
        name="",
        password_hash=None,
        account_id=user.account_id,
        created_at=user.created_at,
        verified_at=None,
        disabled_at=now,
        disabled_rev=rev,
    )
    fact = Fact(
        payload=UserErased(user_id=user.id, account_id=user.account_id),
        resource=ResourceRef(type="user", id=user.id),
        account_id=user.account_id,
        policy_objects=(
            disabled_users.policy_object(tombstone),
            factor_facts.policy_object(SecondFactors(user_id=user.id)),
        ),
    )
    return tombstone, fact
