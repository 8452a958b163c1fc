"""The steps of a decision, at which of them each denial ends, and what is said of each."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from rolecall.core.decision import Reason


class StepId(StrEnum):
    """The steps of a decision, in their order.

    `token` is one of API tokens alone, `second-factor` of accounts that demand one.
    """

    ACCOUNT = "account"
    USER = "user"
    SESSION = "session"
    MEMBERSHIP = "membership"
    SECOND_FACTOR = "second-factor"
    PERMISSION = "permission"
    RESOURCE = "resource"
    PROJECT = "project"
    GRANTS = "grants"
    OWNER = "owner"
    CONDITIONS = "conditions"
    TOKEN = "token"  # noqa: S105 - a step


class StepResult(StrEnum):
    """What became of a step; the decision ends with the first that does not hold."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does-not-hold"
    NOT_REACHED = "not-reached"


ENDS_AT: Mapping[Reason, StepId] = MappingProxyType(
    {
        Reason.NO_ACCOUNT: StepId.ACCOUNT,
        Reason.ACCOUNT_SUSPENDED: StepId.ACCOUNT,
        Reason.ACCOUNT_DELETING: StepId.ACCOUNT,
        Reason.USER_DISABLED: StepId.USER,
        Reason.SESSION_ENDED: StepId.SESSION,
        Reason.NOT_A_MEMBER: StepId.MEMBERSHIP,
        Reason.MEMBERSHIP_SUSPENDED: StepId.MEMBERSHIP,
        Reason.MEMBERSHIP_EXPIRED: StepId.MEMBERSHIP,
        Reason.SECOND_FACTOR_REQUIRED: StepId.SECOND_FACTOR,
        Reason.PERMISSION_UNKNOWN: StepId.PERMISSION,
        Reason.RESOURCE_CONFLICT: StepId.RESOURCE,
        Reason.PROJECT_UNKNOWN: StepId.PROJECT,
        Reason.PERMISSION_MISSING: StepId.GRANTS,
        Reason.OWNER_UNKNOWN: StepId.OWNER,
        Reason.NOT_OWNER: StepId.OWNER,
        Reason.CONDITION_FAILED: StepId.CONDITIONS,
        Reason.TOKEN_RESTRICTED: StepId.TOKEN,
    }
)
"""The step at which each denial ends."""
TEXT_OF_STEP: Mapping[StepId, str] = MappingProxyType(
    {
        StepId.ACCOUNT: "The account is active.",
        StepId.USER: "The user is not disabled.",
        StepId.SESSION: "The session has not ended.",
        StepId.SECOND_FACTOR: "The user has a second factor, as the account demands.",
    }
)
"""The sentences of steps that hold in one way only."""
TEXT_OF_DENIAL: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.ACCOUNT_SUSPENDED: "The account is suspended.",
        Reason.ACCOUNT_DELETING: "The account is being deleted.",
        Reason.USER_DISABLED: "The user is disabled.",
        Reason.SESSION_ENDED: "The session has ended.",
        Reason.NOT_A_MEMBER: "The user is not a member of the account.",
        Reason.MEMBERSHIP_SUSPENDED: "The user's membership is suspended.",
        Reason.MEMBERSHIP_EXPIRED: "The user's membership has expired.",
        Reason.SECOND_FACTOR_REQUIRED: "The account demands a second factor, and the user has"
        " none.",
    }
)
"""The sentences of denials that need nothing but their reason."""
