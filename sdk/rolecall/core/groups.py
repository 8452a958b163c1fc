"""Which group of replicas decides about an account, where authz is divided into groups.

Pure, and fixed: every replica, and every client that asks the right one at once, finds the same.
"""

from functools import lru_cache
from hashlib import sha256
from zlib import crc32

SHARDS = 64
"""The number of shards of team's journal; an account is in one of them."""


def shard_of_account(account_id: str) -> int:
    """The shard of an account."""
    return crc32(account_id.encode()) % SHARDS


@lru_cache(maxsize=SHARDS * SHARDS)
def group_of_shard(shard: int, groups: int) -> int:
    """The group of a shard, from 1 on: the one with the highest SHA-256 of `<shard>/<group>`.

    With one more group about one shard in `groups + 1` moves, each of them to the new group.
    """
    return max(range(1, groups + 1), key=lambda group: _weight(shard, group))


def group_of_account(account_id: str, groups: int) -> int:
    """The group of an account, from 1 on."""
    return group_of_shard(shard_of_account(account_id), groups)


def _weight(shard: int, group: int) -> bytes:
    return sha256(f"{shard}/{group}".encode()).digest()
