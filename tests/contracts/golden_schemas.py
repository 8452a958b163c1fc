"""The agreed schemas of facts and of internal calls, and what would break a reader of them.

`python -m tests.contracts.golden_schemas` writes the schemas that are new or only grew. A change
that breaks a reader is named and not written.
"""

import json
import sys
from pathlib import Path
from types import NoneType
from typing import Any

from shared.contracts.calls.base import InternalCall
from shared.contracts.calls.registry import CALLS
from shared.contracts.registry import FACT_TYPES

GOLDEN = Path(__file__).parent / "golden"
FACTS = GOLDEN
CALL_FILES = GOLDEN / "calls"
Schema = dict[str, Any]


def schema_of(fact_type: str) -> Schema:
    """The schema of a fact type as the code has it."""
    schema: Schema = _undescribed(FACT_TYPES[fact_type].model_json_schema())
    return schema


def description_of(call: InternalCall[Any, Any]) -> Schema:
    """A call as the code has it: its route, and the schemas of request and answer."""
    return {
        "method": call.method,
        "path": call.path,
        "callees": list(call.callees),
        "callers": list(call.callers),
        "request": _schema(call.request),
        "answer": _schema(call.answer),
    }


def _schema(model: Any) -> Schema | None:
    return None if model is NoneType else _undescribed(model.model_json_schema())


def _undescribed(node: Any) -> Any:
    """The schema without its descriptions: they may be rewritten freely."""
    if isinstance(node, list):
        return [_undescribed(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _undescribed(value)
        for name, value in node.items()
        if not (name == "description" and isinstance(value, str))
    }


def current_facts() -> dict[str, Schema]:
    """The schemas of all facts as the code has them."""
    return {fact_type: schema_of(fact_type) for fact_type in FACT_TYPES}


def current_calls() -> dict[str, Schema]:
    """The descriptions of all calls as the code has them."""
    return {call.name: description_of(call) for call in CALLS}


def golden(folder: Path = FACTS) -> dict[str, Schema]:
    """The agreed schemas of a folder."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def breaks(old: Schema, new: Schema, where: str = "") -> list[str]:
    """What a reader of `old` misses or misreads in `new`, and what old content lacks for `new`.

    A field may be added with a default. An existing field keeps its name, type and meaning.
    """
    before, after = old.get("properties", {}), new.get("properties", {})
    told = [f"{where}/{name} is gone" for name in before.keys() - after.keys()]
    told += [
        f"{where}/{name} must be there now"
        for name in set(new.get("required", ())) - set(old.get("required", ()))
    ]
    told += [
        f"{where}/{name} may be missing now"
        for name in set(old.get("required", ())) - set(new.get("required", ()))
    ]
    for name in before.keys() & after.keys():
        if _shape(before[name]) != _shape(after[name]):
            told.append(f"{where}/{name} has another type")
    if old.get("additionalProperties", True) != new.get("additionalProperties", True):
        told.append(f"{where}/ treats unknown members in another way")
    old_parts, new_parts = old.get("$defs", {}), new.get("$defs", {})
    for name in old_parts.keys() & new_parts.keys():
        told += breaks(old_parts[name], new_parts[name], f"{where}/{name}")
    return sorted(told)


def call_breaks(old: Schema, new: Schema) -> list[str]:
    """What breaks a caller or a callee that knows the call as `old`."""
    told = [f"{name} has changed" for name in ("method", "path") if old[name] != new[name]]
    told += [
        f"{gone} left {name}"
        for name in ("callees", "callers")
        for gone in old[name]
        if gone not in new[name]
    ]
    for name in ("request", "answer"):
        if (old[name] is None) != (new[name] is None):
            told.append(f"{name} has come or gone")
        elif old[name] is not None:
            told += breaks(old[name], new[name], name)
    return sorted(told)


def _shape(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name not in {"title", "description"}}


def main() -> int:
    """Write what is new or only grew; return the exit status."""
    broken: list[str] = []
    for folder, current, find in (
        (FACTS, current_facts(), breaks),
        (CALL_FILES, current_calls(), call_breaks),
    ):
        agreed = golden(folder)
        broken += [
            f"{name}: {what}"
            for name in agreed.keys() & current.keys()
            for what in find(agreed[name], current[name])
        ]
    if broken:
        sys.stderr.write("\n".join(["This needs a new major version:", *sorted(broken), ""]))
        return 1
    for folder, current in ((FACTS, current_facts()), (CALL_FILES, current_calls())):
        folder.mkdir(exist_ok=True)
        for name, schema in current.items():
            text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
            (folder / f"{name}.json").write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
