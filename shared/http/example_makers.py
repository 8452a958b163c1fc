"""Make an example of a body, parameter or answer from its schema."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.http.examples import BY_NAME, OF_MODEL, example_id
from shared.ids import PREFIXES

_MOMENT = "2026-03-05T12:00:00Z"


def example(schema: Mapping[str, Any], definitions: Mapping[str, Any], name: str = "") -> Any:
    """A value that fits the schema; `name` is that of the member or parameter."""
    if "$ref" in schema:
        model = schema["$ref"].rpartition("/")[2]
        value = example(definitions[model], definitions, name)
        return {**value, **OF_MODEL.get(model, {})} if isinstance(value, dict) else value
    chosen = schema.get("examples") or schema.get("enum")
    if chosen or "const" in schema:
        return chosen[0] if chosen else schema["const"]
    branches = schema.get("anyOf", schema.get("oneOf"))
    if name in BY_NAME and _fits(BY_NAME[name], branches or [schema]):
        return BY_NAME[name]
    if branches is not None:
        return example(branches[0], definitions, name)
    return _of_type(schema, definitions, name)


def without_nulls(value: Any) -> Any:
    """The example of a request without the members that are null: they may be left out."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return list(map(without_nulls, value)) if isinstance(value, list) else value


def _of_type(schema: Mapping[str, Any], definitions: Mapping[str, Any], name: str) -> Any:
    match schema.get("type"):
        case "object":
            return {
                member: example(below, definitions, member)
                for member, below in schema.get("properties", {}).items()
            }
        case "array":
            return [example(schema["items"], definitions, name.removesuffix("s"))]
        case "string":
            return _text(schema)
        case "integer" | "number":
            return schema.get("default", schema.get("minimum", 1))
        case "boolean":
            return schema.get("default", True)
    return None


def _fits(value: Any, branches: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of the branches takes a value of this type."""
    return any(
        isinstance(value, _TYPES[branch["type"]]) if "type" in branch else isinstance(value, dict)
        for branch in branches
    )


def _text(schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return _MOMENT
    pattern = str(schema.get("pattern", ""))
    for prefix in PREFIXES.values():
        if pattern.startswith(f"^{prefix}_"):
            return example_id(prefix)
    return str(schema.get("default") or "…")


_TYPES: Mapping[str, type[Any]] = {
    "null": type(None),
    "boolean": bool,
    "integer": int,
    "number": float,
    "string": str,
    "array": list,
    "object": dict,
}
