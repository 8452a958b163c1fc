"""Calls to authz."""

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.topology import Service


class CheckRequest(InternalRequest):
    """A user's permission in an account, decided at `at_least_revision` or later."""

    user_id: str
    session_id: str
    account_id: str
    permission: str
    at_least_revision: str | None = None


class CheckResult(InternalAnswer):
    """The decision; without `member` the account does not exist for this user.

    With `session_ended` the user is not signed in, and the answer says nothing of the account.
    """

    allowed: bool
    member: bool
    session_ended: bool = False
    reason: str | None = None


class CallerRequest(InternalRequest):
    """The caller of a request: a user in a session, or a service client."""

    session_id: str | None = None
    client_id: str | None = None


class CallerAnswer(InternalAnswer):
    """Whether the session has not ended, or the service client exists."""

    live: bool


LIVE_CALLER = InternalCall(
    name="checkCaller",
    summary="Check whether the caller of a request is still signed in",
    method="POST",
    path="/internal/callers",
    callees=(Service.AUTHZ,),
    callers=(Service.AUDIT,),
    request=CallerRequest,
    answer=CallerAnswer,
)
DECIDE = InternalCall(
    name="decide",
    summary="Decide a user's permission in an account",
    method="POST",
    path="/internal/decisions",
    callees=(Service.AUTHZ,),
    callers=(Service.IDENTITY, Service.NOTIFICATION, Service.AUDIT),
    request=CheckRequest,
    answer=CheckResult,
)
