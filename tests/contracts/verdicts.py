"""What a JSON schema says of a value, and the values around an example that tell schemas apart."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

Schema = Mapping[str, Any]
Steps = tuple[str | int, ...]

_TYPES: Mapping[str, tuple[type[Any], ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}
_SAMPLES: tuple[Any, ...] = (None, True, 7, 1.5, "x", [], {})
"""A value of each type."""


def resolved(schema: Schema, definitions: Mapping[str, Any]) -> Schema:
    """The schema that a reference leads to."""
    reference = schema.get("$ref")
    return schema if reference is None else definitions[reference.rpartition("/")[2]]


def fits(value: Any, schema: Schema, definitions: Mapping[str, Any]) -> bool:
    """Whether the schema permits the value, by the keywords that our documents use."""
    schema = resolved(schema, definitions)
    choices = [schema[key] for key in ("anyOf", "oneOf") if key in schema]
    if not all(any(fits(value, each, definitions) for each in among) for among in choices):
        return False
    one_of = schema.get("enum", [schema["const"]] if "const" in schema else [value])
    if value not in one_of or not _is_of(value, schema.get("type")):
        return False
    match value:
        case str():
            return _text_fits(value, schema)
        case list():
            return _list_fits(value, schema, definitions)
        case dict():
            return _object_fits(value, schema, definitions)
    return _number_fits(value, schema)


def variants(example: Any, schema: Schema, definitions: Mapping[str, Any]) -> Iterator[Any]:
    """The example with one thing changed: a type, a length, a choice, a member more or less."""
    for steps, inner, there in _places(example, schema, definitions):
        for sample in _SAMPLES:
            yield _replaced(example, steps, sample)
        for branch in _branches(there, definitions):
            if "maxLength" in branch:
                yield _replaced(example, steps, "x" * (branch["maxLength"] + 1))
            if "minLength" in branch:
                yield _replaced(example, steps, "")
            for limit, beyond in (("maximum", 1), ("minimum", -1)):
                if limit in branch:
                    yield _replaced(example, steps, branch[limit] + beyond)
        if isinstance(inner, dict):
            yield _replaced(example, steps, inner | {"surprise": {"x": 1}})
            for name in inner:
                yield _replaced(example, steps, {k: v for k, v in inner.items() if k != name})


def _places(
    value: Any, schema: Schema, definitions: Mapping[str, Any], steps: Steps = ()
) -> Iterator[tuple[Steps, Any, Schema]]:
    yield steps, value, schema
    for branch in _branches(schema, definitions):
        if isinstance(value, dict):
            for name, below in branch.get("properties", {}).items():
                if name in value:
                    yield from _places(value[name], below, definitions, (*steps, name))


def _branches(schema: Schema, definitions: Mapping[str, Any]) -> list[Schema]:
    schema = resolved(schema, definitions)
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is None:
        return [schema]
    return [branch for choice in choices for branch in _branches(choice, definitions)]


def _replaced(example: Any, steps: Steps, value: Any) -> Any:
    if not steps:
        return value
    changed = copy.deepcopy(example)
    inner = changed
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = value
    return changed


def _is_of(value: Any, kind: str | None) -> bool:
    if kind is None:
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def _text_fits(value: str, schema: Schema) -> bool:
    pattern = schema.get("pattern")
    if pattern is not None and re.search(pattern, value) is None:
        return False
    if schema.get("format") == "date-time" and not _is_moment(value):
        return False
    return _size_fits(value, schema, "Length")


def _is_moment(value: str) -> bool:
    """Whether it is a date and a time with a zone (RFC 3339)."""
    try:
        return "T" in value and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _list_fits(value: list[Any], schema: Schema, definitions: Mapping[str, Any]) -> bool:
    if schema.get("uniqueItems") and len({json.dumps(item) for item in value}) < len(value):
        return False
    items = schema.get("items", {})
    return _size_fits(value, schema, "Items") and all(
        fits(item, items, definitions) for item in value
    )


def _size_fits(value: Any, schema: Schema, unit: str) -> bool:
    return bool(schema.get(f"min{unit}", 0) <= len(value) <= schema.get(f"max{unit}", float("inf")))


def _number_fits(value: Any, schema: Schema) -> bool:
    if value is None or isinstance(value, bool):
        return True
    return bool(
        schema.get("minimum", float("-inf")) <= value <= schema.get("maximum", float("inf"))
    )


def _object_fits(value: dict[str, Any], schema: Schema, definitions: Mapping[str, Any]) -> bool:
    known = schema.get("properties", {})
    more = schema.get("additionalProperties", True)
    if not set(schema.get("required", ())) <= set(value):
        return False
    names = schema.get("propertyNames", {})
    for name, inner in value.items():
        if not fits(name, names, definitions):
            return False
        like = [
            below
            for pattern, below in schema.get("patternProperties", {}).items()
            if re.search(pattern, name)
        ]
        if name not in known and not like and more is False:
            return False
        otherwise = like[0] if like else more if isinstance(more, dict) else {}
        below = known.get(name, otherwise)
        if not fits(inner, below, definitions):
            return False
    return _size_fits(value, schema, "Properties")
