"""Calls to authz."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.topology import Service


class CheckRequest(InternalRequest):
    """A user's permission in an account, decided at `at_least_revision` or later.

    The user is in a session, or acts by an API token: then `session_id` is empty. `owner_id` owns
    what it is about.
    """

    user_id: str
    session_id: str
    token_id: str | None = None
    account_id: str
    permission: str
    owner_id: str | None = None
    at_least_revision: str | None = None


class CheckResult(InternalAnswer):
    """The decision; without `member` the account does not exist for this user.

    With `session_ended` the session or the API token is over, and the answer says nothing of the
    account.
    """

    allowed: bool
    member: bool
    session_ended: bool = False
    reason: str | None = None


class CallerRequest(InternalRequest):
    """The caller of a request: a user in a session, a service client, or an API token.

    `acting_client_ids` are the clients that act for the user of the session.

    `access_token_id` and `key_id` are the id of the access token and the key that signed it.
    `made_of` are those of the access tokens from which it was exchanged.
    """

    session_id: str | None = None
    client_id: str | None = None
    token_id: str | None = None
    acting_client_ids: tuple[str, ...] = ()
    access_token_id: str | None = None
    key_id: str | None = None
    made_of: tuple[tuple[str, str], ...] = ()


class CallerAnswer(InternalAnswer):
    """Whether the session has not ended, or the service client or API token exists."""

    live: bool


class CallersRequest(InternalRequest):
    """The callers of answers that last as long as their connection."""

    callers: Annotated[tuple[CallerRequest, ...], Field(max_length=200)]


class CallersAnswer(InternalAnswer):
    """What `CallerAnswer` says, of each caller in the order of the request."""

    live: tuple[bool, ...]


class TokenLimits(InternalRequest):
    """What an API token is limited to; `None` restricts nothing. `grants` has levels by entry."""

    projects: Annotated[tuple[str, ...], Field(max_length=100)] | None = None
    grants: Annotated[dict[str, tuple[str, ...]], Field(max_length=200)] | None = None
    read_only: bool = False


class FindTokenRequest(InternalRequest):
    """The SHA-256 of an API token that was sent to another service."""

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FoundToken(InternalAnswer):
    """What the API token stands for."""

    token_id: str
    user_id: str
    account_id: str
    membership_id: str
    expires_at: AwareDatetime
    limits: TokenLimits


class FindTokenAnswer(InternalAnswer):
    """The API token; `None` if there is none, or its time is over."""

    found: FoundToken | None


class NewTokenRequest(CheckRequest):
    """Whether a member may make an API token with these limits."""

    limits: TokenLimits


class NewTokenAnswer(CheckResult):
    """The decision, and of a member who may make tokens the membership that it is bound to.

    `unknown` names entries, levels and projects that the account does not have, `missing` what the
    member does not hold. With `wider` the token of the request reaches less than the new one.
    """

    membership_id: str | None = None
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    wider: bool = False


LIVE_CALLER = InternalCall(
    name="checkCaller",
    summary="Check whether the caller of a request is still signed in",
    method="POST",
    path="/internal/callers",
    callees=(Service.AUTHZ,),
    callers=(Service.IDENTITY, Service.NOTIFICATION, Service.AUDIT),
    request=CallerRequest,
    answer=CallerAnswer,
)
LIVE_CALLERS = InternalCall(
    name="checkCallers",
    summary="Check which callers are still signed in",
    method="POST",
    path="/internal/callers/many",
    callees=(Service.AUTHZ,),
    callers=(Service.NOTIFICATION,),
    request=CallersRequest,
    answer=CallersAnswer,
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
FIND_TOKEN = InternalCall(
    name="findApiToken",
    summary="Tell what an API token stands for",
    method="POST",
    path="/internal/api-tokens",
    callees=(Service.AUTHZ,),
    callers=(Service.IDENTITY, Service.NOTIFICATION, Service.AUDIT),
    request=FindTokenRequest,
    answer=FindTokenAnswer,
)
NEW_TOKEN = InternalCall(
    name="decideNewToken",
    summary="Decide whether a member may make an API token",
    method="POST",
    path="/internal/new-tokens",
    callees=(Service.AUTHZ,),
    callers=(Service.IDENTITY,),
    request=NewTokenRequest,
    answer=NewTokenAnswer,
)
