"""The steps of a decision, and at which of them each denial ends."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from rolecall.core.decision import Reason


class StepId(StrEnum):
    """The steps of a decision, in their order; `token` is one of API tokens alone."""

    ACCOUNT = "account"
    USER = "user"
    SESSION = "session"
    MEMBERSHIP = "membership"
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
