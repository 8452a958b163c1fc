"""Calls to team about the account of a connection, and about those who join it by its rule."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.topology import Service


class RuleProblem(StrEnum):
    """Why a member may not set a rule."""

    NOT_A_TEAM = "not-a-team"
    ROLE_UNKNOWN = "role-unknown"
    NOT_ALLOWED = "not-allowed"
    """The member may not invite."""
    NOT_HELD = "not-held"
    ENDS = "ends"
    """The membership of the member who sets the rule has an end, and what it makes has none."""


class JoinOutcome(StrEnum):
    """What became of a sign-in's membership."""

    JOINED = "joined"
    MEMBER = "member"
    """The user was a member before."""
    REFUSED = "refused"
    LATER = "later"
    """Team did not answer; the next sign-in tries it again."""


class JoinProblem(StrEnum):
    """Why a rule makes a user no member."""

    ACCOUNT_CLOSED = "account-closed"
    FORMER_MEMBER = "former-member"
    ADDRESS_DIFFERS = "address-differs"
    NOT_A_TEAM = "not-a-team"
    ROLE_UNKNOWN = "role-unknown"
    GIVER_NOT_ALLOWED = "giver-not-allowed"
    NO_FREE_SEAT = "no-free-seat"
    GUARDRAIL = "guardrail"


class ConnectionAccountRequest(InternalRequest):
    """The account of a connection; with `managers` also who manages its members."""

    account_id: Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]
    managers: bool = False


class ConnectionAccount(InternalAnswer):
    """Whether the account exists, and is neither suspended nor being deleted."""

    open: bool
    account_name: str = ""
    manager_emails: tuple[str, ...] = ()


class RuleRequest(InternalRequest):
    """A change of a connection by a member; with `role`, who joins by it gets this role."""

    account_id: Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]
    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    role: str | None = None


class RuleAnswer(InternalAnswer):
    """The account's name and who is told of the change; and why the rule is refused, if it is.

    `missing` has the grants that the member does not hold, `assignable` the roles to choose from.
    """

    account_name: str
    manager_emails: tuple[str, ...]
    problem: RuleProblem | None = None
    missing: tuple[str, ...] = ()
    assignable: tuple[str, ...] = ()


class JoinRequest(InternalRequest):
    """A user who has just signed in through a connection with a rule.

    The issuer has proved the address, and the domain is proved to be the account's. `identity_id`
    is a digest of issuer and subject; identity of an earlier version does not name it.
    """

    account_id: Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]
    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    email: str
    name: str
    connection_id: str
    connection_label: str
    role: str
    rule_set_by: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    identity_id: Annotated[str, Field(pattern="^idn_[0-9a-f]{32}$")] | None = None


class JoinAnswer(InternalAnswer):
    """What became of it; `effective` if each replica of authz has the membership."""

    outcome: JoinOutcome
    problem: JoinProblem | None = None
    revision: str | None = None
    effective: bool = True


CONNECTION_ACCOUNT = InternalCall(
    name="readAccountOfConnection",
    summary="Tell whether an account is open, for its connections, and who manages its members",
    method="POST",
    path="/internal/connections/account",
    callees=(Service.TEAM,),
    callers=(Service.IDENTITY, Service.NOTIFICATION, Service.AUDIT),
    request=ConnectionAccountRequest,
    answer=ConnectionAccount,
)
CONNECTION_RULE = InternalCall(
    name="checkConnectionRule",
    summary="Tell whether a member may have people join with a role, and who is told of it",
    method="POST",
    path="/internal/connections/rule",
    callees=(Service.TEAM,),
    callers=(Service.IDENTITY,),
    request=RuleRequest,
    answer=RuleAnswer,
)
CONNECTION_JOIN = InternalCall(
    name="joinByConnection",
    summary="Make a user a member by the rule of a connection, unless they are one",
    method="POST",
    path="/internal/connections/joins",
    callees=(Service.TEAM,),
    callers=(Service.IDENTITY,),
    request=JoinRequest,
    answer=JoinAnswer,
)
