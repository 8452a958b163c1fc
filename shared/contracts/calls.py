"""Every HTTP call between the services, with the classes of its request and its answer.

The caller, the callee and a test's stand-in use the same classes. A field may be added with a
default; nothing is renamed or removed, and nothing gets another type
(`tests/contracts/test_golden_calls.py`). A request with an unknown member is refused, and fields
that have their default are not sent: an older callee accepts what a newer caller sends as long as
the new field is not used. Unknown members of an answer are ignored.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.facts import SHARDS
from shared.contracts.policy_objects import PolicyObject
from shared.contracts.topology import SOURCES, Service

RequestT = TypeVar("RequestT", bound=BaseModel | None)
AnswerT = TypeVar("AnswerT", bound=BaseModel | None)

MAX_TTL_SECONDS = 60
"""The longest lease that a source grants."""

POLICY_SOURCES = (Service.IDENTITY, Service.TEAM)
"""The services whose policy state authz follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalCall(Generic[RequestT, AnswerT]):
    """One call: its route, who serves it, who may make it, and the classes that travel.

    The request travels as the query of a GET or DELETE and as the JSON body of a POST. `NoneType`
    stands for no request or no answer (204).
    """

    name: str
    """The operation id, and the name of the golden file."""
    summary: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    """The path template; `InternalClient.call` takes its parameters as `path`."""
    callees: tuple[Service, ...]
    callers: tuple[Service, ...]
    request: type[RequestT]
    answer: type[AnswerT]


class InternalRequest(BaseModel):
    """What a service sends to another; unknown members are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InternalAnswer(BaseModel):
    """What a service answers to another; unknown members are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# The journal of every source.


class Heads(InternalAnswer):
    """The last committed sequence of each shard that has any."""

    source: str
    epoch: str
    heads: dict[int, int]


class ChangesQuery(InternalRequest):
    """The rows of `shard` with a sequence over `after`, `limit` at most."""

    shard: int = Field(ge=0, lt=SHARDS)
    after: int = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=1, le=500)


class Changes(InternalAnswer):
    """Rows in order, each as its CloudEvents text."""

    source: str
    epoch: str
    items: list[str]


HEADS = InternalCall(
    name="readHeads",
    summary="Read the last sequence of each shard of this journal",
    method="GET",
    path="/internal/heads",
    callees=SOURCES,
    callers=tuple(Service),
    request=type(None),
    answer=Heads,
)
CHANGES = InternalCall(
    name="readChanges",
    summary="Read rows of one shard of this journal, in order",
    method="GET",
    path="/internal/changes",
    callees=SOURCES,
    callers=tuple(Service),
    request=ChangesQuery,
    answer=Changes,
)

# What authz asks the sources of policy.


class LeaseRequest(InternalRequest):
    """A replica of authz, the epoch that it follows, and what it has applied (shard → sequence)."""

    replica: str = Field(min_length=1, max_length=200)
    boot: int = Field(ge=1)
    """Numbers the lives of the replica; a smaller one is superseded."""
    asked: int = Field(ge=0)
    epoch: str | None = None
    applied: dict[int, int] = Field(max_length=1024)
    held: float = Field(default=0, ge=0, le=MAX_TTL_SECONDS)
    """Seconds that earlier leases may still last, used or not."""


class LeaseAnswer(InternalAnswer):
    """A lease for `ttl` seconds from the request on; it counts once `heads` are applied."""

    epoch: str
    heads: dict[int, int]
    ttl: float
    server_time: datetime


class ReleaseQuery(InternalRequest):
    """The life of the replica whose lease ends."""

    boot: int = Field(ge=1)


class SnapshotQuery(InternalRequest):
    """`cursor` is the `next_cursor` of the page before."""

    cursor: str | None = Field(default=None, max_length=8_000)


class SnapshotPage(InternalAnswer):
    """One page of the policy state; `heads` were read before any row of any page."""

    source: str
    epoch: str
    heads: dict[int, int]
    items: tuple[PolicyObject, ...]
    next_cursor: str | None


LEASE = InternalCall(
    name="grantLease",
    summary="Grant or renew the lease of a replica",
    method="POST",
    path="/internal/lease",
    callees=POLICY_SOURCES,
    callers=(Service.AUTHZ,),
    request=LeaseRequest,
    answer=LeaseAnswer,
)
APPLIED = InternalCall(
    name="reportApplied",
    summary="Report what a replica has applied",
    method="POST",
    path="/internal/applied",
    callees=POLICY_SOURCES,
    callers=(Service.AUTHZ,),
    request=LeaseRequest,
    answer=type(None),
)
RELEASE = InternalCall(
    name="endLease",
    summary="End the lease of a replica",
    method="DELETE",
    path="/internal/lease/{replica}",
    callees=POLICY_SOURCES,
    callers=(Service.AUTHZ,),
    request=ReleaseQuery,
    answer=type(None),
)
SNAPSHOT = InternalCall(
    name="readSnapshot",
    summary="Read the policy state of this source, page by page",
    method="GET",
    path="/internal/snapshot",
    callees=POLICY_SOURCES,
    callers=(Service.AUTHZ,),
    request=SnapshotQuery,
    answer=SnapshotPage,
)

# What identity is asked.


class KeySet(InternalAnswer):
    """A JWK set (RFC 7517, section 5): the public keys that access tokens are verified with."""

    keys: list[dict[str, str]]


class InternalUser(InternalAnswer):
    """A user as other services may know them. A status other than `active` may not act."""

    user_id: str
    email: str
    email_verified: bool
    name: str
    account_id: str
    """The user's personal account."""
    status: str = "active"


class VerificationLinkRequest(InternalRequest):
    """The verification link of a user that is about to be mailed."""

    kind: Literal["verification"]
    id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    generation: Annotated[int, Field(ge=1)]


class LinkAnswer(InternalAnswer):
    """A link to be mailed, never to be stored or logged; `code` is also part of the URL."""

    url: str
    code: str


KEY_SET = InternalCall(
    name="readKeySet",
    summary="Read the public keys that access tokens are verified with",
    method="GET",
    path="/internal/jwks",
    callees=(Service.IDENTITY,),
    callers=tuple(Service),
    request=type(None),
    answer=KeySet,
)
USER = InternalCall(
    name="readUser",
    summary="Read a user",
    method="GET",
    path="/internal/users/{user_id}",
    callees=(Service.IDENTITY,),
    callers=(Service.TEAM, Service.NOTIFICATION, Service.AUDIT),
    request=type(None),
    answer=InternalUser,
)
VERIFICATION_LINK = InternalCall(
    name="makeVerificationLink",
    summary="Make the verification link of a mail that is sent now",
    method="POST",
    path="/internal/links",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=VerificationLinkRequest,
    answer=LinkAnswer,
)

# What team is asked.


class InvitationLinkRequest(InternalRequest):
    """The link of an invitation that is about to be mailed."""

    kind: Literal["invitation"]
    id: Annotated[str, Field(pattern="^inv_[0-9a-f]{32}$")]
    generation: Annotated[int, Field(ge=1)]


class InvitationLookupRequest(InternalRequest):
    """What an invitation's link carries: both are needed (`Ro8`)."""

    token: str = Field(min_length=1, max_length=200)
    code: str = Field(min_length=1, max_length=40)


class InvitedAddress(InternalAnswer):
    """The address that an invitation is for, and how its link was delivered (`email`, `link`)."""

    email: str
    delivery: str


INVITATION_LINK = InternalCall(
    name="makeInvitationLink",
    summary="Make the link of an invitation that is mailed now",
    method="POST",
    path="/internal/links",
    callees=(Service.TEAM,),
    callers=(Service.NOTIFICATION,),
    request=InvitationLinkRequest,
    answer=LinkAnswer,
)
INVITATION_LOOKUP = InternalCall(
    name="lookUpInvitationForSignUp",
    summary="Read the address that an invitation is for",
    method="POST",
    path="/internal/invitations/lookup",
    callees=(Service.TEAM,),
    callers=(Service.IDENTITY,),
    request=InvitationLookupRequest,
    answer=InvitedAddress,
)

# What authz is asked.


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

CALLS: tuple[InternalCall[Any, Any], ...] = (
    HEADS,
    CHANGES,
    LEASE,
    APPLIED,
    RELEASE,
    SNAPSHOT,
    KEY_SET,
    USER,
    VERIFICATION_LINK,
    INVITATION_LINK,
    INVITATION_LOOKUP,
    DECIDE,
)
