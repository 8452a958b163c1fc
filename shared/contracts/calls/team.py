"""Calls to team."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest, LinkAnswer
from shared.contracts.topology import Service

ACTING_USERS = 400
"""The most users of one question, which has less than half of the bytes of a usual body."""


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


class PersonalAccountRequest(InternalRequest):
    """A user who has just proved the address; their personal account is to exist now."""

    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    account_id: Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]
    email: str
    name: str


class PersonalAccountAnswer(InternalAnswer):
    """The account exists as of `revision`; `effective` if every replica of authz has it."""

    revision: str
    effective: bool


class MembershipsRequest(InternalRequest):
    """A user who takes their personal data along."""

    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]


class StoredMembership(InternalAnswer):
    """A membership of a user, with the copies of name and address."""

    membership_id: str | None = None
    """Replicas of an earlier version do not name it."""
    account_id: str
    account_name: str
    owner: bool
    role: str
    status: str
    joined_at: AwareDatetime
    email: str
    name: str
    gives_access: bool = True
    """Whether the membership gives access now: neither it nor its account is at rest or over."""


class Memberships(InternalAnswer):
    """Every membership of a user."""

    memberships: tuple[StoredMembership, ...]


class ActingUser(InternalRequest):
    """A user who is said to have acted in an account; without one it is about the account alone."""

    account_id: Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]
    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")] | None = None


class ProjectPlace(InternalRequest):
    """A project that is said to be of an account."""

    account_id: Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]
    project_id: Annotated[str, Field(pattern="^prj_[0-9a-f]{32}$")]


class ActingUsersRequest(InternalRequest):
    """Users who are said to have acted in accounts, and the projects that they are said to have."""

    users: Annotated[tuple[ActingUser, ...], Field(max_length=ACTING_USERS)]
    projects: Annotated[tuple[ProjectPlace, ...], Field(max_length=ACTING_USERS)] = ()


class MemberOnce(InternalAnswer):
    """A user who is a member of the account, or was."""

    account_id: str
    user_id: str


class AccountProject(InternalAnswer):
    """A project that the account has."""

    account_id: str
    project_id: str


class ActingUsers(InternalAnswer):
    """Those of the users who are members of the account, or were, and the accounts that exist.

    `projects` are those of the projects that their accounts have now.
    """

    accounts: tuple[str, ...]
    users: tuple[MemberOnce, ...]
    projects: tuple[AccountProject, ...] = ()


class UserReleaseRequest(InternalRequest):
    """A user who is about to be erased."""

    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]


class OwnedTeam(InternalAnswer):
    """An account of the user that has other members."""

    account_id: str
    account_name: str


class UserReleased(InternalAnswer):
    """What keeps a user; without it every membership has ended.

    `effective` if each replica of authz has the ends of this call.
    """

    owned: tuple[OwnedTeam, ...] = ()
    effective: bool = True


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
PERSONAL_ACCOUNT = InternalCall(
    name="openPersonalAccount",
    summary="Make the personal account of a new user, unless it exists",
    method="POST",
    path="/internal/personal-accounts",
    callees=(Service.TEAM,),
    callers=(Service.IDENTITY,),
    request=PersonalAccountRequest,
    answer=PersonalAccountAnswer,
)
MEMBERSHIPS = InternalCall(
    name="readMemberships",
    summary="Read every membership of a user",
    method="POST",
    path="/internal/memberships",
    callees=(Service.TEAM,),
    callers=(Service.IDENTITY,),
    request=MembershipsRequest,
    answer=Memberships,
)
READ_ACTING_USERS = InternalCall(
    name="readActingUsers",
    summary="Read which users are or were members of accounts, and which projects these have",
    method="POST",
    path="/internal/acting-users",
    callees=(Service.TEAM,),
    callers=(Service.AUDIT,),
    request=ActingUsersRequest,
    answer=ActingUsers,
)
USER_RELEASE = InternalCall(
    name="releaseUser",
    summary="End every membership of a user, unless they own an account with other members",
    method="POST",
    path="/internal/user-releases",
    callees=(Service.TEAM,),
    callers=(Service.IDENTITY,),
    request=UserReleaseRequest,
    answer=UserReleased,
)
