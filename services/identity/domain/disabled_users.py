"""Users whom the operator disables: every check of theirs denies, and they cannot sign in."""

from dataclasses import replace
from datetime import datetime

from services.identity.domain.users import User, payload_fields, user_fact
from shared.contracts.facts import Fact
from shared.contracts.identity import UserDisabled, UserEnabled, UserUnlocked
from shared.contracts.policy_objects import DisabledUserObject, PolicyObject, PolicyObjectKind
from shared.problems import Refusal, RefusalKind


class SignInDisabled(Refusal):
    """A disabled user has proved who they are in another way than by the password."""

    kind = RefusalKind.DENIED
    code = "user-disabled"
    detail = "The platform has disabled your sign-in. Ask the platform for the reason."


def disable(user: User, *, explanation: str, now: datetime, rev: int) -> tuple[User, Fact | None]:
    """Disable a user, who is told the explanation.

    A disabled user takes another explanation. A request that would change nothing has no fact.
    """
    disabled = replace(
        user, disabled_at=user.disabled_at or now, disabled_because=explanation, disabled_rev=rev
    )
    if replace(disabled, disabled_rev=user.disabled_rev) == user:
        return user, None
    fact = user_fact(
        disabled,
        UserDisabled(**payload_fields(user), explanation=explanation),
        after={"explanation": explanation},
        policy_object=policy_object(disabled),
    )
    return disabled, fact


def enable(user: User, *, rev: int) -> tuple[User, Fact | None]:
    """Let a user sign in again. API tokens act again, and the ended sessions do not."""
    if user.disabled_at is None:
        return user, None
    enabled = replace(user, disabled_at=None, disabled_because=None, disabled_rev=rev)
    fact = user_fact(
        enabled,
        UserEnabled(**payload_fields(user)),
        before={"explanation": user.disabled_because or ""},
        policy_object=policy_object(enabled),
    )
    return enabled, fact


def unlocked(user: User) -> Fact:
    """Make the fact that the failed attempts of a user were given back."""
    return user_fact(user, UserUnlocked(**payload_fields(user)))


def policy_object(user: User) -> PolicyObject:
    """Return the user as those who follow identity know it: one who is not disabled is not told."""
    state = None
    if user.disabled_at is not None:
        state = DisabledUserObject(disabled_at=user.disabled_at).model_dump(mode="json")
    return PolicyObject(
        kind=PolicyObjectKind.DISABLED_USER, id=user.id, rev=user.disabled_rev, state=state
    )
