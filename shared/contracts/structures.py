"""Structures with the members of a contract, for contracts of which there may be a million."""

import msgspec
from msgspec import Struct

from shared.contracts.policy_objects import Contract


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
