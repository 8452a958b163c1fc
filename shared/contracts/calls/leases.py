"""Calls of followers to the journals' services: leases, what is applied, and the snapshot."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, field_validator

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.calls.journal import HeadsAnswer
from shared.contracts.facts import SHARDS
from shared.contracts.groups import MASK_PATTERN
from shared.contracts.policy_objects import PolicyObject
from shared.contracts.topology import Service

MAX_TTL_SECONDS = 60
"""The longest lease that a source grants."""

POLICY_SOURCES = (Service.IDENTITY, Service.TEAM)
"""The services whose policy state is followed: authz follows both."""
FOLLOWERS = (Service.AUTHZ, Service.TEAM)
"""The services that decide from a followed journal; team follows identity."""


Shard = Annotated[int, Field(ge=0, lt=SHARDS)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Mask = Annotated[str, Field(pattern=MASK_PATTERN)]
"""Some shards, as `shared.contracts.groups` writes them."""
LAST_SEQUENCE = 2**63 - 1
"""The largest integer that the database stores."""


class Life(InternalRequest):
    """One life of a process: its slot, and a random id that no other life has."""

    slot: str = Field(max_length=200, pattern=r"^[^/]+$")
    life: str = Field(pattern=r"^[0-9a-f]{32}$")

    @field_validator("slot")
    @classmethod
    def _is_visible(cls, slot: str) -> str:
        """Refuse what breaks a line of a receipt or of a log."""
        if not slot.isprintable():
            raise ValueError("a slot has visible characters only")
        return slot


class LeaseRequest(Life):
    """A life, the epoch that it follows, and what it has applied (shard → sequence)."""

    asked: int = Field(ge=0)
    """Numbers the requests of the life."""
    epoch: str | None = None
    applied: dict[int, int] = Field(max_length=1024)
    digests: dict[Shard, Digest] = Field(default_factory=dict)
    """The digest of the last applied row of each shard. A shard without one does not count as
    applied: changes wait until the lease runs out. An earlier version sends none."""
    held: float = Field(default=0, ge=0, le=MAX_TTL_SECONDS)
    """Seconds that earlier leases may still last, used or not."""
    shards: Mask | None = None
    """The shards whose accounts the life holds; `None`: all. It never holds another one."""

    @field_validator("asked")
    @classmethod
    def _is_stored(cls, asked: int) -> int:
        if asked > LAST_SEQUENCE:
            raise ValueError("the number is too large")
        return asked

    @field_validator("applied")
    @classmethod
    def _are_places(cls, applied: dict[int, int]) -> dict[int, int]:
        if not all(
            0 <= shard < SHARDS and 0 <= seq <= LAST_SEQUENCE for shard, seq in applied.items()
        ):
            raise ValueError("a shard or a sequence does not exist")
        return applied


class LeaseAnswer(HeadsAnswer):
    """A lease for `ttl` seconds from the request on; it counts once `heads` are applied."""

    ttl: float
    server_time: datetime


class ReleaseQuery(Life):
    """The life whose lease ends; it gets no other one."""


class SnapshotQuery(InternalRequest):
    """`cursor` is the `next_cursor` of the page before.

    With `shards` the accounts of other shards may be left out, and what belongs to no account is
    told all the same. Every page of a snapshot names the same ones.
    """

    cursor: str | None = Field(default=None, max_length=8_000)
    shards: Mask | None = None


class SnapshotPage(InternalAnswer):
    """One page of the policy state; `heads` were read before any row of any page.

    The first page has the digest of each head; the pages after it repeat the heads only.
    """

    source: str
    epoch: str
    heads: dict[int, int]
    digests: dict[int, str] = Field(default_factory=dict)
    items: tuple[PolicyObject, ...]
    next_cursor: str | None


LEASE = InternalCall(
    name="grantLease",
    summary="Grant or renew the lease of a life",
    method="POST",
    path="/internal/lease",
    callees=POLICY_SOURCES,
    callers=FOLLOWERS,
    request=LeaseRequest,
    answer=LeaseAnswer,
    polled=True,
)
APPLIED = InternalCall(
    name="reportApplied",
    summary="Report what a replica has applied",
    method="POST",
    path="/internal/applied",
    callees=POLICY_SOURCES,
    callers=FOLLOWERS,
    request=LeaseRequest,
    answer=type(None),
    polled=True,
)
RELEASE = InternalCall(
    name="endLease",
    summary="Give the lease of a life back",
    method="DELETE",
    path="/internal/lease",
    callees=POLICY_SOURCES,
    callers=FOLLOWERS,
    request=ReleaseQuery,
    answer=type(None),
)
SNAPSHOT = InternalCall(
    name="readSnapshot",
    summary="Read the policy state of this source, page by page",
    method="GET",
    path="/internal/snapshot",
    callees=POLICY_SOURCES,
    callers=FOLLOWERS,
    request=SnapshotQuery,
    answer=SnapshotPage,
    polled=True,
)
