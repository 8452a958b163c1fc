"""The calls that ask team for the policy of an account at a past time."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.contracts.topology import Service

MAX_OBJECTS = 12
"""The objects of one question. A decision rests on the account, a member and a resource, and on
two objects of each project that may count."""


class NamedObject(InternalRequest):
    """The name of a policy object in the account."""

    kind: PolicyObjectKind
    id: Annotated[str, Field(max_length=2_200)]


class PastPolicyRequest(InternalRequest):
    """The account, the time, and the objects whose states are wanted."""

    account_id: Annotated[str, Field(max_length=1024)]
    at: AwareDatetime
    objects: Annotated[tuple[NamedObject, ...], Field(max_length=MAX_OBJECTS)]


class PastPolicy(InternalAnswer):
    """Those of the objects that existed, the catalog that the account had, and the revision.

    `revision` is that of the account's last change before the time; `None` if there was none.
    """

    items: tuple[PolicyObject, ...]
    revision: str | None


PAST_POLICY = InternalCall(
    name="readPastPolicy",
    summary="Read objects of an account as they were at a past time",
    method="POST",
    path="/internal/past-policy",
    callees=(Service.TEAM,),
    callers=(Service.AUTHZ,),
    request=PastPolicyRequest,
    answer=PastPolicy,
)


class PastBearersRequest(InternalRequest):
    """The account, the time, and an external id."""

    account_id: Annotated[str, Field(max_length=1024)]
    at: AwareDatetime
    external_id: Annotated[str, Field(max_length=200)]


class PastBearers(InternalAnswer):
    """The ids of the members who had the external id then: two at most, for it names neither."""

    user_ids: tuple[str, ...]


PAST_BEARERS = InternalCall(
    name="readPastBearers",
    summary="Read which members of an account had an external id at a past time",
    method="POST",
    path="/internal/past-bearers",
    callees=(Service.TEAM,),
    callers=(Service.AUTHZ,),
    request=PastBearersRequest,
    answer=PastBearers,
)
