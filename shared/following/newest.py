"""The newest state of each policy object; an older revision never replaces a newer one."""

from collections.abc import Iterable
from typing import Any

from shared.contracts import policy_objects
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind

_CLASSES: dict[PolicyObjectKind, Any] = {
    PolicyObjectKind.ACCOUNT: policy_objects.AccountObject,
    PolicyObjectKind.MEMBER: policy_objects.MemberObject,
    PolicyObjectKind.PROJECT: policy_objects.ProjectObject,
    PolicyObjectKind.OVERRIDE: policy_objects.OverrideObject,
    PolicyObjectKind.RESOURCE: policy_objects.ResourceObject,
    PolicyObjectKind.CATALOG: policy_objects.CatalogObject,
    PolicyObjectKind.SESSION: policy_objects.SessionObject,
    PolicyObjectKind.SERVICE_CLIENT: policy_objects.ServiceClientObject,
}


def read_states(received: Iterable[PolicyObject]) -> list[tuple[PolicyObject, Any]]:
    """Read the states of all objects of a change, before any of them is taken.

    Objects of a kind that this version does not know are left out.

    Raises:
        pydantic.ValidationError: a state has a shape that this version does not know. The change is
            then not applied and the lease runs out, so that this replica stops answering.
    """
    read: list[tuple[PolicyObject, Any]] = []
    kind = validate = None
    for policy_object in received:
        if policy_object.kind is not kind:
            kind = policy_object.kind
            state_class = _CLASSES.get(kind)
            validate = state_class and state_class.__pydantic_validator__.validate_python
        if validate is not None:
            state = policy_object.state
            read.append((policy_object, None if state is None else validate(state)))
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
