"""The grants of roles and overrides in bodies, as the API's documents describe them.

The catalog of the account checks them, so that every fault is named as in a catalog file.
"""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from rolecall import Scope

_CONSTANT = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}
_COMPARISON = {
    "path": {
        "type": "string",
        "description": "`subject.id`, `resource.id`, or a name below `subject.properties`,"
        " `resource.properties`, `action.properties` or `context`",
    },
    "equals": _CONSTANT,
    "in": {"type": "array", "items": _CONSTANT},
    "contains": _CONSTANT,
    "in_network": {"type": "array", "items": {"type": "string"}},
    "same_as": {"type": "string"},
}
_TEST = {
    "type": "object",
    "description": "A `path` and one way to compare the value there, or `not` around such a test."
    " A value that is missing or of another type satisfies neither",
    "properties": {
        **_COMPARISON,
        "not": {"type": "object", "properties": _COMPARISON, "additionalProperties": False},
    },
    "additionalProperties": False,
}
_SCOPE = {"type": "string", "enum": list(Scope)}
_CONDITIONAL = {
    "type": "object",
    "properties": {
        "scope": _SCOPE,
        "when": {"type": "array", "items": _TEST, "description": "Tests that must all hold"},
    },
    "required": ["scope"],
    "additionalProperties": False,
}
GrantCell = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": "`all`, `self`, or alternatives of which one must apply",
            "anyOf": [_SCOPE, {"type": "array", "items": _CONDITIONAL}],
        }
    ),
]
Grants = dict[str, dict[str, GrantCell]]
GrantsBody = Annotated[
    Grants,
    Field(
        max_length=500,
        description="Entry → level → `all`, `self` or alternatives with conditions, as in the"
        " catalog; `*` stands for every one",
    ),
]
