"""The part of a source's state that a replica holds: the accounts of some shards."""

from collections.abc import Iterable

from shared.contracts.groups import shard_of_object
from shared.contracts.policy_objects import PolicyObject
from shared.following.journal_view import ReplicaState


class HeldState:
    """Hands on what belongs to the accounts of these shards, and what belongs to no account.

    The rows of every shard are followed, in order and with their signatures. So catalogs, which are
    written in any shard, arrive by the same rules as everywhere.
    """

    def __init__(self, state: ReplicaState, shards: frozenset[int]) -> None:
        self._state = state
        self._held = shards | {None}

    def clear(self) -> None:
        """Forget everything from this source."""
        self._state.clear()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take of a change what is held."""
        self._state.put([each for each in policy_objects if shard_of_object(each) in self._held])
