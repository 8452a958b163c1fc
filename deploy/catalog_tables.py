"""Rows of tables about catalogs and decisions, for the page of the SDK."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from rolecall import Policies
from rolecall.core.decision import DENIED_BECAUSE

REASONS = ("reason", "the check is denied because")
POLICIES = ("key", "meaning", "values", "default")


def reason_rows() -> Iterator[tuple[str, ...]]:
    """The reasons to deny a check, in the order in which they are tested."""
    for reason, text in DENIED_BECAUSE.items():
        yield f"`{reason}`", text


def policy_rows() -> Iterator[tuple[str, ...]]:
    """The keys below `policies` of a catalog."""
    schema = TypeAdapter(Policies).json_schema()
    for path, member in _policy_keys(schema, schema["$defs"]):
        yield (
            f"`{path}`",
            str(member["description"]),
            _values(member, schema["$defs"]),
            "required" if "default" not in member else f"`{json.dumps(member['default'])}`",
        )


def _policy_keys(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, member in schema["properties"].items():
        below = definitions.get(str(member.get("$ref", "")).rpartition("/")[2], {})
        if "properties" in below:
            yield from _policy_keys(below, definitions, f"{above}{name}.")
        else:
            yield f"{above}{name}", member


def _values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """What a key may have, in words."""
    if "$ref" in schema:
        return _values(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return ", ".join(_values(choice, definitions) for choice in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "items" in schema:
        return f"a list of {_values(schema['items'], definitions)}"
    return {"boolean": "`true`, `false`", "integer": "a number above 0", "string": "a text"}.get(
        schema["type"], f"`{schema['type']}`"
    )
