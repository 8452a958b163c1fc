"""The faults that pydantic finds in a body, at their places in it.

Of a union pydantic tells the faults of every branch. The branch that is meant is the one that takes
the JSON type that was sent, and only its faults are kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from typing_extensions import is_typeddict

Steps = tuple[int | str, ...]
"""Names of members and numbers of items, from the top of the body down."""
_TOP: Steps = ()

JSON_TYPES: Mapping[str, str] = {
    "string_type": "a string",
    "list_type": "an array",
    "tuple_type": "an array",
    "set_type": "an array",
    "dict_type": "an object",
    "mapping_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
}
"""What a value must be, by pydantic's type of error for another JSON type."""
_KEY = "[key]"
"""The last step of a fault of a member's name."""


@dataclass(frozen=True, slots=True)
class BodyFault:
    """What pydantic says of a place.

    `types` are those of which the value must be one, where a union takes none of its type.
    """

    steps: Steps
    details: ErrorDetails
    types: tuple[str, ...] = ()


@dataclass(slots=True)
class _FaultPlace:
    """The faults of one place, below it, and in each branch of a union."""

    own: list[BodyFault] = field(default_factory=list)
    below: dict[int | str, "_FaultPlace"] = field(default_factory=dict)
    branches: dict[int | str, "_FaultPlace"] = field(default_factory=dict)

    def mistyped(self) -> list[BodyFault]:
        """The faults that say that the value itself is of another type; none if it fits."""
        found = [fault for fault in self.own if fault.details["type"] in JSON_TYPES]
        branches = [branch.mistyped() for branch in self.branches.values()]
        return (
            [*found, *(fault for faults in branches for fault in faults)]
            if all(branches)
            else found
        )

    def meant(self) -> Iterator[BodyFault]:
        """The faults to tell."""
        yield from self.own
        fitting = [branch for branch in self.branches.values() if not branch.mistyped()]
        if fitting:
            yield from min((list(branch.meant()) for branch in fitting), key=len)
        elif self.branches:
            mistyped = [fault for branch in self.branches.values() for fault in branch.mistyped()]
            types = dict.fromkeys(JSON_TYPES[fault.details["type"]] for fault in mistyped)
            yield BodyFault(mistyped[0].steps, mistyped[0].details, tuple(types))
        for place in self.below.values():
            yield from place.meant()


def located(found: Iterable[ErrorDetails], value: object) -> list[BodyFault]:
    """The faults of a body at their places."""
    top = _FaultPlace()
    for details in found:
        place, steps = top, _TOP
        at: Any = value
        *above, last = details["loc"] or (_KEY,)
        for step in (*above, last):
            missing = step == last and details["type"] == "missing"
            if _leads_into(step, at) or (missing and isinstance(at, Mapping)):
                place, steps = place.below.setdefault(step, _FaultPlace()), (*steps, step)
                at = None if missing else at[step]
            elif step != _KEY:
                place = place.branches.setdefault(step, _FaultPlace())
        place.own.append(BodyFault(steps, details))
    return list(top.meant())


def _leads_into(step: int | str, value: Any) -> bool:
    """Whether a step of pydantic's location is a part of the value, and not a branch."""
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def known_members(model: type[BaseModel], steps: Steps) -> list[str]:
    """The names of the members that an object at this place can have."""
    kinds = [model]
    for step in steps:
        kinds = [inner for kind in kinds for inner in _below(kind, step)]
    return sorted({name for kind in kinds for name in _members(kind)})


def _below(kind: Any, step: int | str) -> list[Any]:
    arguments = get_args(kind)
    if isinstance(step, int):
        return _alternatives(arguments[0]) if arguments else []
    members = _members(kind)
    if members:
        return _alternatives(members.get(step))
    return _alternatives(arguments[1]) if len(arguments) == 2 else []


def _members(kind: Any) -> Mapping[str, Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {one.alias or name: one.annotation for name, one in kind.model_fields.items()}
    return get_type_hints(kind) if is_typeddict(kind) else {}


def _alternatives(kind: Any) -> list[Any]:
    """The types that a value of this type can have."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [inner for one in get_args(kind) for inner in _alternatives(one)]
    return [kind]
