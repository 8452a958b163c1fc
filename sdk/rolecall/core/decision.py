"""The answer to a permission check, and its reasons."""

from collections.abc import Mapping
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
    SECOND_FACTOR_REQUIRED = "second-factor-required"
    PERMISSION_UNKNOWN = "permission-unknown"
    PROJECT_UNKNOWN = "project-unknown"
    RESOURCE_CONFLICT = "resource-conflict"
    PERMISSION_MISSING = "permission-missing"
    OWNER_UNKNOWN = "owner-unknown"
    NOT_OWNER = "not-owner"
    CONDITION_FAILED = "condition-failed"
    TOKEN_RESTRICTED = "token-restricted"  # noqa: S105 - a reason


DENIED_BECAUSE: Mapping[Reason, str] = {
    Reason.ACCOUNT_SUSPENDED: "the platform has suspended the account",
    Reason.ACCOUNT_DELETING: "the owner has deleted the account, and may still restore it",
    Reason.USER_DISABLED: "the user is disabled",
    Reason.SESSION_ENDED: "the session has ended",
    Reason.NOT_A_MEMBER: "the user has no membership in the account",
    Reason.MEMBERSHIP_SUSPENDED: "the membership is suspended",
    Reason.MEMBERSHIP_EXPIRED: "the membership has expired",
    Reason.SECOND_FACTOR_REQUIRED: "the account demands a second factor, and the user has none",
    Reason.PERMISSION_UNKNOWN: "the catalog has no such permission",
    Reason.RESOURCE_CONFLICT: "the request names another owner or project than the registered"
    " resource has, or two projects",
    Reason.PROJECT_UNKNOWN: "the account has no such project",
    Reason.PERMISSION_MISSING: "the role, or the override inside the project, does not grant it",
    Reason.OWNER_UNKNOWN: "the grant reaches own resources only, and the owner is not known",
    Reason.NOT_OWNER: "the grant reaches own resources only, and another user owns this one",
    Reason.CONDITION_FAILED: "the grant depends on a condition, and the condition does not hold",
    Reason.TOKEN_RESTRICTED: "the API token is restricted to other permissions or projects",
}
"""What each reason of `decide` to deny means, in the order in which they are tested."""


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
