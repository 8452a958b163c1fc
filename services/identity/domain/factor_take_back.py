"""Taking a first second factor back: by a link in the mail that tells of it.

Who knows only the password of a user without a second factor can add one, and lock the owner out:
a reset of the password leaves factors. The mailbox was enough to open the account until then, so
for a time it is enough to undo the lock. It opens nothing by itself: a reset comes next.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from services.identity.domain import factor_facts, mfa
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.mfa import SecondFactors
from services.identity.domain.users import User
from shared.contracts.facts import Fact
from shared.contracts.identity import SecondFactorRemoved

TAKE_BACK_LIFETIME = timedelta(days=14)
"""The link works for this time after the first factor was added."""


def take_back_of(user: User, factors: SecondFactors) -> tuple[int, datetime] | None:
    """The generation and the end of the link that takes a new factor back, if there is one.

    A factor that was added beside another one has none: its owner has proved the other one. An
    address that is not proved, or that was changed since, is not the owner's for certain.
    """
    began, proved = factors.began_at, user.verified_at
    if not factors.exist or began is None or proved is None or proved > began:
        return None
    return factors.beginnings, began + TAKE_BACK_LIFETIME


def check_take_back(
    user: User | None, factors: SecondFactors, *, generation: int, now: datetime
) -> User:
    """Check the link, and give its user.

    Raises:
        LinkInvalid: the link is over, its factors are gone, or the address was changed since.
    """
    link = None if user is None else take_back_of(user, factors)
    if user is None or link is None or link[0] != generation or now >= link[1]:
        raise LinkInvalid
    return user


def taken_back_by(factors: SecondFactors, *, generation: int) -> bool:
    """Return whether a link has done its work, which is still in force."""
    return not factors.exist and factors.taken_back == generation == factors.beginnings


def take_back(user: User, factors: SecondFactors) -> tuple[User, SecondFactors, tuple[Fact, ...]]:
    """Remove every factor, and the password, which a thief knows; a reset gives the next one."""
    after = replace(mfa.remove_all(factors), taken_back=factors.beginnings)
    locked = replace(
        user,
        password_hash=None,
        password_imported=False,
        password_taken=True,
        known_devices=(),
    )
    facts = factor_facts.all_removed(locked, factors, after)
    return locked, after, tuple(_told(fact) for fact in facts)


def _told(fact: Fact) -> Fact:
    assert isinstance(fact.payload, SecondFactorRemoved)  # noqa: S101 - `all_removed` makes no other
    return replace(fact, payload=fact.payload.model_copy(update={"taken_back": True}))
