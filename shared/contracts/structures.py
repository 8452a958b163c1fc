"""Structures with the members of a contract, for contracts of which there may be a million."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from shared.contracts.policy_objects import Contract, PolicyObjectKind

ItemT = TypeVar("ItemT")


class PolicyStructure(Struct, kw_only=True, gc=False):
    """A policy object, with the members of `PolicyObject`."""

    kind: PolicyObjectKind
    id: str
    account_id: str | None = None
    rev: int = 0
    state: dict[str, Any] | None


class PageStructure(Struct, Generic[ItemT]):
    """A page of a snapshot, with the members of `SnapshotPage`."""

    source: str
    epoch: str
    heads: dict[int, int]
    digests: dict[int, str]
    items: Sequence[ItemT]
    next_cursor: str | None


def structure_of(contract: type[Contract]) -> type[Struct]:
    """Return a structure with the same members, which is read in a sixth of the time."""
    return msgspec.defstruct(
        contract.__name__,
        [
            (name, member.annotation, msgspec.NODEFAULT)
            if member.is_required()
            else (name, member.annotation, member.default)
            for name, member in contract.model_fields.items()
        ],
        frozen=True,
        gc=False,
    )
