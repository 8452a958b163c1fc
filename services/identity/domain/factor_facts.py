"""The facts about second factors, and what followers of identity know of them."""

from datetime import datetime

from services.identity.domain.mfa import TOTP, SecondFactors
from services.identity.domain.passkeys import PASSKEY
from services.identity.domain.users import User, payload_fields, user_fact
from shared.contracts.facts import Fact
from shared.contracts.identity import (
    RecoveryCodesReplaced,
    RecoveryCodeUsed,
    SecondFactorAdded,
    SecondFactorRemoved,
)
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind


def policy_object(factors: SecondFactors) -> PolicyObject:
    """Return the user as those who follow identity know it: one without a factor is not told."""
    return PolicyObject(
        kind=PolicyObjectKind.SECOND_FACTOR,
        id=factors.user_id,
        rev=factors.rev,
        state={} if factors.exist else None,
    )


def added(
    user: User, kind: str, after: SecondFactors, *, take_back: tuple[int, datetime] | None
) -> Fact:
    """Make the fact that a user has added a factor; `take_back` is the link that undoes it."""
    beginning, until = take_back or (None, None)
    payload = SecondFactorAdded(
        **payload_fields(user), kind=kind, beginning=beginning, take_back_until=until
    )
    return user_fact(user, payload, policy_object=policy_object(after))


def removed(user: User, kind: str, after: SecondFactors) -> Fact:
    """Make the fact that a factor was removed."""
    payload = SecondFactorRemoved(**payload_fields(user), kind=kind)
    return user_fact(user, payload, policy_object=policy_object(after))


def all_removed(user: User, before: SecondFactors, after: SecondFactors) -> tuple[Fact, ...]:
    """Make the facts that the factors which are not left were removed."""
    apps = [TOTP] if before.totp is not None and after.totp is None else []
    passkeys = [PASSKEY for one in before.passkeys if one not in after.passkeys]
    return tuple(removed(user, kind, after) for kind in apps + passkeys)


def codes_replaced(user: User) -> Fact:
    """Make the fact that a user has new recovery codes."""
    return user_fact(user, RecoveryCodesReplaced(**payload_fields(user)))


def used(user: User, before: SecondFactors, after: SecondFactors) -> tuple[Fact, ...]:
    """Make the fact that a recovery code was used, if one was."""
    if len(before.codes) == len(after.codes):
        return ()
    left = len(after.codes)
    return (user_fact(user, RecoveryCodeUsed(**payload_fields(user), left=left)),)
