"""The answers of a guarded application to requests that are not allowed (RFC 9457)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rolecall.client.evaluations import UndecidedError

PROBLEM_TYPE = "application/problem+json"
_TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_BAD = 'Bearer error="invalid_token"'
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """One answer: its status, a stable code for programs, and a sentence for people."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """The problem document."""
        return json.dumps(
            {
                "type": f"urn:rolecall:problem:{self.code}",
                "title": _TITLES[self.status],
                "status": self.status,
                "code": self.code,
                "detail": self.detail,
            }
        ).encode()


UNAUTHENTICATED = ProblemAnswer(401, "unauthenticated", "Sign in to use this resource.")
"""To a request that the application itself did not authenticate."""
TOKEN_MISSING = replace(UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})
TOKEN_INVALID = ProblemAnswer(
    401,
    "token-invalid",
    "The access token is not valid. Sign in again.",
    {"WWW-Authenticate": f'{_BAD}, error_description="The access token is not valid"'},
)
TOKEN_EXPIRED = ProblemAnswer(
    401,
    "token-expired",
    "The access token has expired. Get a new one with the refresh token.",
    {"WWW-Authenticate": f'{_BAD}, error_description="The access token has expired"'},
)
CHECK_FAILED = ProblemAnswer(500, "check-failed", "This service cannot check permissions.")
NO_RULE = ProblemAnswer(403, "no-rule", "No rule allows this request.")


def permission_missing(permission: str) -> ProblemAnswer:
    """The answer to a user who does not have the permission."""
    return ProblemAnswer(403, "permission-missing", f"You need the permission `{permission}`.")


def problem_of(error: UndecidedError) -> ProblemAnswer:
    """The answer to a request that could not be decided; what will not pass by itself is logged."""
    if error.temporary:
        return ProblemAnswer(
            503,
            "undecided",
            "The permission cannot be checked now. Try again.",
            {"Retry-After": "1"},
        )
    _log.error("a permission check was refused: %s", error)
    if error.request_refused:
        return ProblemAnswer(
            403, "check-refused", "The permission cannot be checked for this request."
        )
    return CHECK_FAILED
