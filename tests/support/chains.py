"""Digests of rows that exist only as numbers: each row's follows from its shard and sequence."""

from collections.abc import Mapping

from shared.contracts.facts import GENESIS


def digest_at(shard: int, seq: int) -> str:
    """The digest of the row at this place."""
    return f"digest of {shard}.{seq}" if seq else GENESIS


def digests_at(heads: Mapping[int, int]) -> dict[int, str]:
    """The digest of each head."""
    return {shard: digest_at(shard, seq) for shard, seq in heads.items()}
