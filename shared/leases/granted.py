"""What a replica is given with a lease."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """A lease: the journal's epoch and heads, read after its row was written; `ttl` in seconds."""

    epoch: str
    heads: Mapping[int, int]
    digests: Mapping[int, str]
    ttl: float
