"""The calls that tell audit which decisions were denied, and which allowed ones were drawn."""

from types import NoneType
from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.contracts.calls.base import InternalCall, InternalRequest
from shared.contracts.topology import Service

MAX_COUNTS = 100
"""The counts of one call, and those without detail."""

Name = Annotated[str, Field(max_length=1024)]


class Occurrences(InternalRequest):
    """How often something was decided, and when first and last."""

    number: Annotated[int, Field(ge=1)]
    first: AwareDatetime
    last: AwareDatetime


class DenialCount(Occurrences):
    """The denials of one subject, permission, resource and reason within a minute.

    The subject is a user, or the API token `token_id` of this user.
    """

    account_id: Name
    user_id: Name
    token_id: Name | None = None
    permission: Annotated[str, Field(max_length=2_049)]
    resource_id: Name | None = None
    project_id: Name | None = None
    reason: Name


class UndetailedDenials(Occurrences):
    """Denials of one account, or of several, that were counted without detail."""

    account_id: Name | None = None


class DenialReport(InternalRequest):
    """One batch of a replica: `life` is random for each start, and `number` counts its batches.

    A batch is repeated under its number until it is answered.
    """

    life: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    number: Annotated[int, Field(ge=1)]
    denials: Annotated[tuple[DenialCount, ...], Field(max_length=MAX_COUNTS)] = ()
    undetailed: Annotated[tuple[UndetailedDenials, ...], Field(max_length=MAX_COUNTS)] = ()


class AllowCount(Occurrences):
    """The allows of one subject, permission and resource within a minute, as far as drawn.

    One of `one_of` such checks is drawn. The subject is as in a `DenialCount`.
    """

    account_id: Name
    user_id: Name
    token_id: Name | None = None
    permission: Annotated[str, Field(max_length=2_049)]
    resource_id: Name | None = None
    project_id: Name | None = None
    one_of: Annotated[int, Field(ge=1)]


class UndetailedAllows(Occurrences):
    """Allows of one account, or of several, that were drawn and counted without detail."""

    account_id: Name | None = None


class AllowReport(InternalRequest):
    """One batch of a replica, numbered and repeated as those of denials are."""

    life: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    number: Annotated[int, Field(ge=1)]
    allows: Annotated[tuple[AllowCount, ...], Field(max_length=MAX_COUNTS)] = ()
    undetailed: Annotated[tuple[UndetailedAllows, ...], Field(max_length=MAX_COUNTS)] = ()


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

ALLOWS: InternalCall[AllowReport, None] = InternalCall(
    name="reportAllows",
    summary="Tell which allowed decisions were drawn for the log",
    method="POST",
    path="/internal/allows",
    callees=(Service.AUDIT,),
    callers=(Service.AUTHZ,),
    request=AllowReport,
    answer=NoneType,
    polled=True,
)
