"""What a replica knew when it requested a lease, and what the source granted."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaseRequestState:
    """What was true when a lease was requested; made by `JournalView.ask`.

    `sent` is the time of the request, `number` counts requests, and `state_number` the states that
    were loaded and forgotten. `held` is for how many more seconds earlier grants may last,
    including those that wait for their heads.
    """

    sent: float
    life: str
    state_number: int
    number: int
    epoch: str | None
    applied: Mapping[int, int]
    digests: Mapping[int, str]
    held: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaseGrant:
    """A source's answer: its heads, read after the lease was written; `ttl` in seconds."""

    epoch: str
    heads: Mapping[int, int]
    digests: Mapping[int, str]
    ttl: float
