"""The answer to a permission check, and its reasons."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a check was allowed or denied; stable, and part of the wire format."""

    ALLOWED = "allowed"
    NO_ACCOUNT = "no-account"
    ACCOUNT_SUSPENDED = "account-suspended"
    ACCOUNT_DELETING = "account-deleting"
    USER_DISABLED = "user-disabled"
    SESSION_ENDED = "session-ended"
    NOT_A_MEMBER = "not-a-member"
    MEMBERSHIP_SUSPENDED = "membership-suspended"
    MEMBERSHIP_EXPIRED = "membership-expired"
    PERMISSION_UNKNOWN = "permission-unknown"
    PROJECT_UNKNOWN = "project-unknown"
    RESOURCE_CONFLICT = "resource-conflict"
    PERMISSION_MISSING = "permission-missing"
    OWNER_UNKNOWN = "owner-unknown"
    NOT_OWNER = "not-owner"
    CONDITION_FAILED = "condition-failed"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one check.

    `decided_by` is `role:<role id>` or `override:<project id>` when grants decided. It is `None`
    when an earlier rule decided; `reason` names that rule.
    """

    allowed: bool
    reason: Reason
    decided_by: str | None = None


# For callers that do not find the account; `decide` itself always has one.
NO_ACCOUNT = Decision(allowed=False, reason=Reason.NO_ACCOUNT)
