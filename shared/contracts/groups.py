"""Groups of replicas of authz: each holds the accounts of some shards of team's journal.

Catalogs, and all of identity, belong to every group.
"""

from collections.abc import Iterable
from typing import Protocol

from rolecall.core.account_objects import ACCOUNT_KINDS
from rolecall.core.groups import group_of_shard
from shared.contracts.facts import SHARDS, shard_of
from shared.contracts.policy_objects import PolicyObjectKind

MASK_DIGITS = SHARDS // 4
MASK_PATTERN = f"^[0-9a-f]{{{MASK_DIGITS}}}$"
"""Some shards as a text: the bit of each shard is set, the lowest one is shard 0."""


class AboutAccount(Protocol):
    """What of a policy object says which account it belongs to."""

    @property
    def kind(self) -> PolicyObjectKind:
        """The kind."""

    @property
    def id(self) -> str:
        """The id within the account."""

    @property
    def account_id(self) -> str | None:
        """The account."""


def shards_of_group(group: int, groups: int) -> frozenset[int]:
    """The shards whose accounts a group holds."""
    return frozenset(shard for shard in range(SHARDS) if group_of_shard(shard, groups) == group)


def shard_of_object(policy_object: AboutAccount) -> int | None:
    """The shard of the account that an object belongs to; `None`: it is for every group."""
    if policy_object.kind not in ACCOUNT_KINDS:
        return None
    return shard_of(policy_object.account_id or policy_object.id)


def concerned_shards(policy_objects: Iterable[AboutAccount]) -> frozenset[int] | None:
    """The shards of the accounts that a change is about; `None`: it concerns every group.

    A change that names no object is taken for one of all: nothing is known of it.
    """
    shards: set[int] = set()
    for each in policy_objects:
        shard = shard_of_object(each)
        if shard is None:
            return None
        shards.add(shard)
    return frozenset(shards) or None


def mask_of(shards: frozenset[int]) -> str:
    """These shards as a text."""
    return f"{sum(1 << shard for shard in shards):0{MASK_DIGITS}x}"


def shards_in(mask: str) -> frozenset[int]:
    """The shards that the text names."""
    bits = int(mask, 16)
    return frozenset(shard for shard in range(SHARDS) if bits >> shard & 1)
