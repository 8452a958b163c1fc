"""The newest state of each policy object; an older revision never replaces a newer one."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from shared.contracts import policy_objects
from shared.contracts.policy_objects import Contract, PolicyObject, PolicyObjectKind
from shared.contracts.structures import structure_of

Reader = Callable[[dict[str, Any]], Any]
"""Reads a state; its result has the members of the class of the contract."""


def _by_class(contract: type[Contract]) -> Reader:
    """Read into the class of the contract."""
    reader: Reader = contract.__pydantic_validator__.validate_python
    return reader


def _by_members(contract: type[Contract]) -> Reader:
    """Read into a structure with the same members."""
    return partial(msgspec.convert, type=structure_of(contract))


_READERS: dict[PolicyObjectKind, Reader] = {
    PolicyObjectKind.ACCOUNT: _by_class(policy_objects.AccountObject),
    PolicyObjectKind.MEMBER: _by_members(policy_objects.MemberObject),
    PolicyObjectKind.PROJECT: _by_class(policy_objects.ProjectObject),
    PolicyObjectKind.OVERRIDE: _by_class(policy_objects.OverrideObject),
    PolicyObjectKind.RESOURCE: _by_members(policy_objects.ResourceObject),
    PolicyObjectKind.CATALOG: _by_class(policy_objects.CatalogObject),
    PolicyObjectKind.SESSION: _by_class(policy_objects.SessionObject),
    PolicyObjectKind.SERVICE_CLIENT: _by_class(policy_objects.ServiceClientObject),
    PolicyObjectKind.API_TOKEN: _by_class(policy_objects.ApiTokenObject),
    PolicyObjectKind.ACCESS_TOKEN: _by_class(policy_objects.AccessTokenObject),
    PolicyObjectKind.SIGNING_KEY: _by_class(policy_objects.SigningKeyObject),
    PolicyObjectKind.DISABLED_USER: _by_class(policy_objects.DisabledUserObject),
    PolicyObjectKind.SECOND_FACTOR: _by_class(policy_objects.SecondFactorObject),
}
"""A snapshot has a million members and resources, and few of the rest."""


def read_states(received: Iterable[PolicyObject]) -> list[tuple[PolicyObject, Any]]:
    """Read the states of all objects of a change, before any of them is taken.

    Objects of a kind that this version does not know are left out.

    Raises:
        ValueError: a state has a shape that this version does not know. The change is then not
            applied and the lease runs out, so that this replica stops answering.
    """
    read: list[tuple[PolicyObject, Any]] = []
    kind = reader = None
    try:
        for policy_object in received:
            if policy_object.kind is not kind:
                kind = policy_object.kind
                reader = _READERS.get(kind)
            if reader is not None:
                state = policy_object.state
                read.append((policy_object, None if state is None else reader(state)))
    except msgspec.ValidationError as error:
        raise ValueError(f"The state of a {kind} has an unknown shape: {error}.") from None
    return read


class NewestStates:
    """Policy objects by kind and id, each with the revision of its state."""

    def __init__(self) -> None:
        self._states: dict[tuple[PolicyObjectKind, str], tuple[int, Any]] = {}

    def take(self, policy_object: PolicyObject, state: Any) -> bool:
        """Take a state unless a newer one is known; `None` removes the object.

        Returns:
            Whether the state was taken.
        """
        key = policy_object.kind, policy_object.id
        known = self._states.get(key)
        if known is not None and policy_object.rev <= known[0]:
            return False
        if state is None:
            self._states.pop(key, None)
        else:
            self._states[key] = policy_object.rev, state
        return True

    def get(self, kind: PolicyObjectKind, object_id: str) -> Any:
        """The state of one object; `None` if it is not known."""
        known = self._states.get((kind, object_id))
        return None if known is None else known[1]

    def of_kind(self, kind: PolicyObjectKind) -> list[tuple[str, Any]]:
        """Ids and states of all objects of one kind."""
        return [
            (object_id, state)
            for (known, object_id), (_, state) in self._states.items()
            if known is kind
        ]

    def drop(self, kind: PolicyObjectKind, object_id: str) -> None:
        """Forget one object."""
        del self._states[kind, object_id]

    def clear(self) -> None:
        """Forget all objects."""
        self._states.clear()

    def __len__(self) -> int:
        """The number of objects."""
        return len(self._states)
