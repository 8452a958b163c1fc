"""The call that tells team which members were active."""

from types import NoneType
from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.contracts.calls.base import InternalCall, InternalRequest
from shared.contracts.topology import Service

MAX_ACTIVE_MEMBERS = 400
"""The members of one call; its body stays below the limit of a body."""


class ActiveMember(InternalRequest):
    """A member about whom a check was answered, and when that was last."""

    account_id: Annotated[str, Field(max_length=40)]
    user_id: Annotated[str, Field(max_length=40)]
    at: AwareDatetime


class ActivityReport(InternalRequest):
    """The members who were active since the last report."""

    members: tuple[ActiveMember, ...] = Field(max_length=MAX_ACTIVE_MEMBERS)


ACTIVITY: InternalCall[ActivityReport, None] = InternalCall(
    name="reportActivity",
    summary="Tell which members were active",
    method="POST",
    path="/internal/activity",
    callees=(Service.TEAM,),
    callers=(Service.AUTHZ,),
    request=ActivityReport,
    answer=NoneType,
    polled=True,
)
