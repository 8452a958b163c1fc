"""The JSON types that a model takes at each place."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

EVERY_TYPE = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


class Place(NamedTuple):
    """One value in a body: its pointer, its steps, and what the model says of it."""

    pointer: str
    steps: tuple[str, ...]
    types: frozenset[str]
    empty_fits: bool
    """An object without members fits."""
    required: bool
    longest: int | None


def places(model: type[BaseModel], body: Mapping[str, Any]) -> list[Place]:
    """Every value of `body`, at any depth."""
    schema = model.model_json_schema()
    return list(_members(schema, body, (), schema.get("$defs", {})))


def _members(
    schema: Mapping[str, Any], value: Mapping[str, Any], steps: tuple[str, ...], defs: Any
) -> Iterator[Place]:
    for name, inner in value.items():
        known = schema.get("properties", {})
        member = known.get(name, schema.get("additionalProperties"))
        branches = _branches(member, defs)
        below = (*steps, name)
        yield Place(
            pointer="".join(f"/{step}" for step in below),
            steps=below,
            types=frozenset().union(*map(_types, branches)),
            empty_fits=any(
                "object" in _types(branch) and not branch.get("required") for branch in branches
            ),
            required=name in schema.get("required", ()),
            longest=next((b["maxLength"] for b in branches if "maxLength" in b), None),
        )
        if isinstance(inner, Mapping):
            for branch in branches:
                if "object" in _types(branch):
                    yield from _members(branch, inner, below, defs)


def _branches(schema: Any, defs: Any) -> list[Mapping[str, Any]]:
    if not isinstance(schema, Mapping):
        return [{}]
    if "$ref" in schema:
        return _branches(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return [branch for each in schema["anyOf"] for branch in _branches(each, defs)]
    return [schema]


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    return frozenset({schema["type"]}) if "type" in schema else EVERY_TYPE
