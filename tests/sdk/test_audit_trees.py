"""Merkle trees, against pymerkle, published vectors, and the words of RFC 6962."""

import hashlib
import random

import pymerkle
import pytest

from rolecall.audit.trees import (
    EMPTY_ROOT,
    GrowingTree,
    consistency_proof,
    inclusion_proof,
    joined,
    leaf_hash,
    proves_consistency,
    proves_inclusion,
    whole_parts,
)
from rolecall.audit.walk import AnchoredWalk, Walk
from tests.sdk.sealed_logs import plain_root

MOST = 40

CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of certificate-transparency: the leaves of its tests, and the roots of their trees."""
CT_CONSISTENCY_6_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


def leaves_of(size):
    return [leaf_hash(f"record {number}".encode()) for number in range(size)]


def hash_in(leaves):
    return lambda part: plain_root(leaves[part[0] : part[1]])


def grown(leaves):
    tree = GrowingTree()
    tree.extend(leaves)
    return tree


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    assert grown(map(leaf_hash, CT_LEAVES[:size])).root().hex() == CT_ROOTS[size]


def test_a_consistency_proof_is_that_of_certificate_transparency():
    leaves = [leaf_hash(each) for each in CT_LEAVES]
    proof = consistency_proof(6, 8, hash_in(leaves))
    assert [each.hex() for each in proof] == CT_CONSISTENCY_6_8


def test_trees_and_proofs_are_those_of_pymerkle():
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    leaves = leaves_of(MOST)
    for number in range(MOST):
        oracle.append_entry(f"record {number}".encode())
    for size in range(1, MOST + 1):
        root = grown(leaves[:size]).root()
        assert root == oracle.get_root(size)
        for index in range(size):
            mine = inclusion_proof(index, size, hash_in(leaves))
            theirs = oracle.prove_inclusion(index + 1, size)
            assert mine == theirs.path[1:]
            assert proves_inclusion(index, size, leaves[index], mine, root)
            pymerkle.verify_inclusion(leaves[index], root, theirs)


def test_consistency_proofs_are_accepted_by_pymerkle():
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    leaves = leaves_of(MOST)
    for number in range(MOST):
        oracle.append_entry(f"record {number}".encode())
    for second in range(1, MOST + 1):
        for first in range(1, second + 1):
            proof = consistency_proof(first, second, hash_in(leaves))
            roots = oracle.get_root(first), oracle.get_root(second)
            assert proves_consistency(first, second, roots, proof)
            theirs = oracle.prove_consistency(first, second)
            pymerkle.verify_consistency(*roots, theirs)


def test_a_proof_for_other_leaves_roots_or_sizes_proves_nothing():
    chance = random.Random(5)
    leaves = leaves_of(MOST)
    for _ in range(500):
        size = chance.randrange(2, MOST + 1)
        index = chance.randrange(size)
        root = plain_root(leaves[:size])
        proof = inclusion_proof(index, size, hash_in(leaves))
        assert not proves_inclusion(index, size, leaf_hash(b"another"), proof, root)
        assert not proves_inclusion((index + 1) % size, size, leaves[index], proof, root)
        assert not proves_inclusion(index, size, leaves[index], proof[:-1], root)
        assert not proves_inclusion(index, size, leaves[index], [*proof, root], root)
        assert not proves_inclusion(size, size, leaves[index], proof, root)
        changed = [*proof]
        at = chance.randrange(len(proof))
        changed[at] = bytes([changed[at][0] ^ 1]) + changed[at][1:]
        assert not proves_inclusion(index, size, leaves[index], changed, root)


def test_trees_with_another_beginning_are_not_consistent():
    leaves = leaves_of(MOST)
    for second in range(1, MOST + 1):
        for first in range(1, second + 1):
            other = [*leaves]
            other[first - 1] = leaf_hash(b"another")
            roots = plain_root(other[:first]), plain_root(leaves[:second])
            proof = consistency_proof(first, second, hash_in(leaves))
            assert not proves_consistency(first, second, roots, proof)
            forged = plain_root(leaves[:first]), plain_root(other[:second])
            assert not proves_consistency(first, second, forged, proof)
            assert not proves_consistency(first, second, forged[::-1], [*proof, roots[0]])


def test_every_tree_begins_with_the_empty_one():
    root = plain_root(leaves_of(3))
    assert proves_consistency(0, 3, (EMPTY_ROOT, root), [])
    assert not proves_consistency(0, 3, (root, root), [])
    assert not proves_consistency(4, 3, (root, root), [])


def test_any_subtree_is_joined_from_whole_ones():
    leaves = leaves_of(MOST)
    for low, high in ((0, 1), (0, 13), (8, 12), (16, 39), (32, 40), (39, 40)):
        parts = [
            plain_root(leaves[index << level : (index + 1) << level])
            for level, index in whole_parts((low, high))
        ]
        assert joined(parts) == plain_root(leaves[low:high])


def test_a_growing_tree_tells_each_whole_node_once():
    told = {}
    tree = GrowingTree()
    leaves = leaves_of(MOST)
    for leaf in leaves:
        for level, index, node in tree.append(leaf):
            assert (level, index) not in told
            told[level, index] = node
    for (level, index), node in told.items():
        assert node == plain_root(leaves[index << level : (index + 1) << level])
    assert len(told) == sum(MOST >> level for level in range(6))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21, 40])
def test_a_walk_anchors_every_leaf_also_when_some_are_passed_over(size):
    chance = random.Random(size)
    leaves = leaves_of(size)
    for _ in range(20):
        wanted = sorted(chance.sample(range(size), chance.randint(1, size)))
        told, checked = Walk(size), AnchoredWalk(size, plain_root(leaves))
        for index in wanted:
            _, beside = told.to(index)
            path = [plain_root(leaves[low:high]) for low, high in beside]
            assert checked.fits(index, leaves[index], path)


def test_a_walk_over_a_whole_tree_needs_about_one_hash_a_leaf():
    walk = Walk(1000)
    hashes = sum(len(walk.to(index)[1]) for index in range(1000))
    assert hashes == 999


def test_a_walk_does_not_take_what_was_reached_or_does_not_exist():
    walk = AnchoredWalk(3, hashlib.sha256().digest())
    walk.to(1)
    for index in (0, 1, 3):
        with pytest.raises(ValueError, match="no leaf"):
            walk.to(index)
