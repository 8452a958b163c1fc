"""The grants of roles and overrides in bodies.

This is their shape. The catalog of the account says what a grant may name, and which conditions
are possible.
"""

from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from rolecall.core.property_paths import ROOTS, property_path
from shared.http.validation import OF_CHOICES

_CLOSED: Final = ConfigDict(extra="forbid")
Constant = StrictStr | StrictBool | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]


def _path(text: str) -> str:
    """Refuse what is not a path, together with all else that is wrong with the body."""
    if property_path(text) is None:
        raise PydanticCustomError(OF_CHOICES, "This is not a path.", {"choices": ROOTS})
    return text


Path = Annotated[
    StrictStr,
    AfterValidator(_path),
    Field(
        description="`subject.id`, `resource.id`, or a name below `subject.properties`,"
        " `resource.properties`, `action.properties` or `context`"
    ),
]
_In = TypedDict("_In", {"in": list[Constant]}, total=False)


@with_config(_CLOSED)
class Comparison(_In, total=False):
    """A path, and one way to compare the value there."""

    path: Path
    equals: Constant
    contains: Constant
    in_network: StrictStr | list[StrictStr]
    same_as: Path


_Not = TypedDict("_Not", {"not": Comparison}, total=False)


@with_config(_CLOSED)
class GrantTest(Comparison, _Not, total=False):
    """A comparison, or `not` around one. A missing value or another type satisfies neither."""


@with_config(_CLOSED)
class ConditionalGrant(TypedDict, total=False):
    """A scope, and the tests that must all hold."""

    scope: StrictStr
    when: GrantTest | list[GrantTest]


Cell = StrictStr | ConditionalGrant | list[StrictStr | ConditionalGrant]
Grants = Annotated[
    dict[str, dict[str, Cell]],
    Field(
        description="Entry → level → `all`, `self`, or a scope with its conditions, as in the"
        " catalog. Of several in a list one must apply"
    ),
]
GivenGrants = Annotated[Grants, Field(max_length=500, description="`*` stands for every one")]
