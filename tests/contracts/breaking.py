"""Values that break exactly one rule of a JSON schema, and texts that are not JSON."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.contracts.verdicts import Schema, fits, resolved

Steps = tuple[str | int, ...]

SAMPLES: tuple[Any, ...] = (None, True, 7, 1.5, "x", [], {})
"""A value of each type."""
SURPRISE = "surprise"
TYPE = "the type"
"""How the names of rules begin that are about a type."""
MOST_ITEMS = 1_000
"""A longer list would be a body that is too large."""
FAR_BEYOND = "far beyond maxLength"
VERY_LONG = 30_000
FORBIDDEN = (
    rb'"a\u0000b"',
    rb'"\ud800"',
    b"NaN",
    b"-Infinity",
    b"9" * 400,
    b"1e999",
)
"""What may stand at no place of a body."""


@dataclass(frozen=True)
class Break:
    """A value in which one rule is broken, and where."""

    rule: str
    steps: Steps
    value: Any

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer."""
        escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in self.steps)
        return "".join(f"/{step}" for step in escaped)


def breaks(value: Any, schema: Schema, definitions: Mapping[str, Any]) -> Iterator[Break]:
    """Every way to break one rule at one place of a value that fits."""
    for steps, inner, there in _places(value, schema, definitions):
        for rule, below, wrong in _wrong(inner, there, definitions):
            if not fits(wrong, there, definitions):
                yield Break(rule, (*steps, *below), replaced(value, steps, wrong))


def malformed(value: Any) -> Iterator[bytes]:
    """The JSON text of the value with something at one place that no JSON has."""
    mark = "\u2400 here \u2400"
    for steps, inner, _ in _places(value, {}, {}):
        if steps and not isinstance(inner, dict | list):
            text = json.dumps(replaced(value, steps, mark)).encode()
            for wrong in FORBIDDEN:
                yield text.replace(json.dumps(mark).encode(), wrong)


def replaced(value: Any, steps: Steps, inner: Any) -> Any:
    """The value with another one at that place."""
    if not steps:
        return inner
    changed = copy.copy(value)
    first, *rest = steps
    changed[first] = replaced(value[first], tuple(rest), inner)
    return changed


def _places(
    value: Any, schema: Schema, definitions: Mapping[str, Any], steps: Steps = ()
) -> Iterator[tuple[Steps, Any, Schema]]:
    """Every value at any depth, with the schema that holds there."""
    yield steps, value, schema
    branch = next(
        (each for each in _branches(schema, definitions) if fits(value, each, definitions)), {}
    )
    match value:
        case dict():
            patterns = [*branch.get("patternProperties", {}).values(), {}]
            more = branch.get("additionalProperties")
            otherwise = more if isinstance(more, dict) else patterns[0]
            known = branch.get("properties", {})
            for name, inner in value.items():
                yield from _places(inner, known.get(name, otherwise), definitions, (*steps, name))
        case list():
            items = branch.get("items", {})
            for index, inner in enumerate(value):
                yield from _places(inner, items, definitions, (*steps, index))


def _branches(schema: Schema, definitions: Mapping[str, Any]) -> list[Schema]:
    schema = resolved(schema, definitions)
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is None:
        return [schema]
    return [branch for choice in choices for branch in _branches(choice, definitions)]


def _wrong(
    value: Any, schema: Schema, definitions: Mapping[str, Any]
) -> Iterator[tuple[str, Steps, Any]]:
    """Candidates: the rule, where below this place it is told, and the whole value here."""
    for sample in SAMPLES:
        if type(sample) is not type(value):
            yield f"{TYPE} {type(sample).__name__}", (), sample
    for branch in _branches(schema, definitions):
        match value:
            case str():
                yield from ((rule, (), wrong) for rule, wrong in _wrong_texts(value, branch))
            case list():
                yield from ((rule, (), wrong) for rule, wrong in _wrong_lists(value, branch))
            case dict():
                yield from _wrong_objects(value, branch)
            case int() | float() if not isinstance(value, bool):
                limits = (("maximum", 1), ("minimum", -1))
                yield from ((at, (), branch[at] + by) for at, by in limits if at in branch)


def _wrong_texts(value: str, schema: Schema) -> Iterator[tuple[str, str]]:
    if "maxLength" in schema:
        yield "maxLength", "x" * (schema["maxLength"] + 1)
        yield FAR_BEYOND, "x" * VERY_LONG
    if "minLength" in schema:
        yield "minLength", "x" * (schema["minLength"] - 1)
    if "pattern" in schema:
        for wrong in (f"{value}\n", f" {value}", value.swapcase(), "\u0660" + value, ""):
            yield "pattern", wrong
    if "enum" in schema or "const" in schema:
        yield "choice", SURPRISE
        yield "choice", ""
    if schema.get("format") == "date-time":
        yield "no moment", "tomorrow"
        yield "no zone", datetime.fromisoformat(value).replace(tzinfo=None).isoformat()


def _wrong_lists(value: list[Any], schema: Schema) -> Iterator[tuple[str, list[Any]]]:
    if schema.get("minItems"):
        yield "minItems", value[: schema["minItems"] - 1]
    if value and schema.get("maxItems", MOST_ITEMS) < MOST_ITEMS:
        yield "maxItems", value[:1] * (schema["maxItems"] + 1)
    if value and schema.get("uniqueItems"):
        yield "uniqueItems", [*value, value[0]]


def _wrong_objects(
    value: dict[str, Any], schema: Schema
) -> Iterator[tuple[str, Steps, dict[str, Any]]]:
    for name in schema.get("required", ()):
        if name in value:
            rest = {key: inner for key, inner in value.items() if key != name}
            yield "required", (name,), rest
    for name in (SURPRISE, "$where", "a/b~c", ""):
        yield "additionalProperties", (name,), value | {name: "x"}
    if "maxProperties" in schema:
        many = {f"a{number}": "x" for number in range(schema["maxProperties"] + 1)}
        yield "maxProperties", (), many
