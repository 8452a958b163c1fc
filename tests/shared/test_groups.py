"""The groups of replicas of authz: which shards each has, and what a change concerns."""

from random import Random

import pytest

from rolecall.core import groups as of_sdk
from rolecall.core.groups import group_of_account, group_of_shard
from shared.contracts.facts import SHARDS, shard_of
from shared.contracts.groups import concerned_shards, mask_of, shards_in, shards_of_group
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind

ACCOUNT = "acc_" + "a" * 32
SIZES = {1: [64], 2: [32, 32], 3: [20, 21, 23], 4: [16, 17, 18, 13], 5: [14, 14, 14, 9, 13]}
"""A changed function would let replicas of two versions disagree about accounts."""


@pytest.mark.parametrize(("groups", "sizes"), SIZES.items())
def test_each_shard_is_of_one_group_and_groups_have_these_sizes(groups, sizes):
    parts = [shards_of_group(group, groups) for group in range(1, groups + 1)]
    assert [len(part) for part in parts] == sizes
    assert sorted(shard for part in parts for shard in part) == list(range(SHARDS))


def test_another_group_takes_shards_of_all_and_no_other_one_moves():
    for groups in range(1, SHARDS):
        before = [group_of_shard(shard, groups) for shard in range(SHARDS)]
        after = [group_of_shard(shard, groups + 1) for shard in range(SHARDS)]
        moved = [now for was, now in zip(before, after, strict=True) if was != now]
        assert set(moved) <= {groups + 1}


def test_the_sdk_finds_the_group_of_an_account_as_the_services_do():
    assert of_sdk.SHARDS == SHARDS
    random = Random(0)
    for account_id in (f"acc_{random.getrandbits(128):032x}" for _ in range(200)):
        assert of_sdk.shard_of_account(account_id) == shard_of(account_id)
        assert shard_of(account_id) in shards_of_group(group_of_account(account_id, 3), 3)


def test_a_mask_is_read_as_the_shards_that_it_was_written_of():
    for shards in (frozenset(), frozenset({0}), frozenset({63}), frozenset(range(SHARDS))):
        assert shards_in(mask_of(shards)) == shards
        assert len(mask_of(shards)) == 16


def about(kind: PolicyObjectKind, account_id: str | None = ACCOUNT) -> PolicyObject:
    return PolicyObject(kind=kind, id="one", account_id=account_id, state=None)


@pytest.mark.parametrize(
    ("objects", "concerned"),
    [
        ([about(PolicyObjectKind.MEMBER)], {shard_of(ACCOUNT)}),
        ([about(PolicyObjectKind.ACCOUNT, None)], {shard_of("one")}),
        (
            [about(PolicyObjectKind.MEMBER), about(PolicyObjectKind.RESOURCE, "acc_2")],
            {shard_of(ACCOUNT), shard_of("acc_2")},
        ),
        ([about(PolicyObjectKind.CATALOG, None)], None),
        ([about(PolicyObjectKind.MEMBER), about(PolicyObjectKind.CATALOG, None)], None),
        ([about(PolicyObjectKind.SESSION, None)], None),
        ([], None),
    ],
)
def test_a_change_concerns_the_groups_of_its_accounts_or_all(objects, concerned):
    """A catalog, and what is not known to be of an account, concerns every group."""
    found = concerned_shards(objects)
    assert found == (None if concerned is None else frozenset(concerned))
