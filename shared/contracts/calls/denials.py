"""The call that tells audit which decisions were denied."""

from types import NoneType
from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.contracts.calls.base import InternalCall, InternalRequest
from shared.contracts.topology import Service

MAX_DENIALS = 100
"""The counts of one call, and those without detail."""

Name = Annotated[str, Field(max_length=1024)]


class DenialTimes(InternalRequest):
    """How often decisions were denied, and when first and last."""

    number: Annotated[int, Field(ge=1)]
    first: AwareDatetime
    last: AwareDatetime


class DenialCount(DenialTimes):
    """The denials of one subject, permission, resource and reason within a minute."""

    account_id: Name
    user_id: Name
    permission: Annotated[str, Field(max_length=2_049)]
    resource_id: Name | None = None
    project_id: Name | None = None
    reason: Name


class UndetailedDenials(DenialTimes):
    """Denials of one account, or of several, that were counted without detail."""

    account_id: Name | None = None


class DenialReport(InternalRequest):
    """One batch of a replica: `life` is random for each start, and `number` counts its batches.

    A batch is repeated under its number until it is answered.
    """

    life: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    number: Annotated[int, Field(ge=1)]
    denials: Annotated[tuple[DenialCount, ...], Field(max_length=MAX_DENIALS)] = ()
    undetailed: Annotated[tuple[UndetailedDenials, ...], Field(max_length=MAX_DENIALS)] = ()


DENIALS: InternalCall[DenialReport, None] = InternalCall(
    name="reportDenials",
    summary="Tell which decisions were denied",
    method="POST",
    path="/internal/denials",
    callees=(Service.AUDIT,),
    callers=(Service.AUTHZ,),
    request=DenialReport,
    answer=NoneType,
    polled=True,
)
