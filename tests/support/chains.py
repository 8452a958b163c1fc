"""Digests of rows that exist only as numbers: each row's follows from its shard and sequence."""

from collections.abc import Mapping

from shared.contracts.facts import GENESIS
from shared.following.lease_grants import LeaseRequestState
from shared.leases.barrier import Report


def digest_at(shard: int, seq: int) -> str:
    """The digest of the row at this place."""
    return f"digest of {shard}.{seq}" if seq else GENESIS


def digests_at(heads: Mapping[int, int]) -> dict[int, str]:
    """The digest of each head."""
    return {shard: digest_at(shard, seq) for shard, seq in heads.items()}


def report_at(applied: Mapping[int, int], *, epoch: str = "e1") -> Report:
    """The report of a replica that has applied these rows."""
    return Report(epoch=epoch, applied=applied, digests=digests_at(applied))


def report_of(ask: LeaseRequestState) -> Report:
    """What a lease request reports."""
    return Report(epoch=ask.epoch, applied=ask.applied, digests=ask.digests)
