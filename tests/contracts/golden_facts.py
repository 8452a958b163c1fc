"""What did each type of fact look like when it was last agreed on?

`python -m tests.contracts.golden_facts` writes the schemas of types that are new or only grew; a
change that would break somebody who reads the type is named and not written.
"""

import json
import sys
from pathlib import Path
from typing import Any

from shared.contracts.registry import FACT_TYPES

FOLDER = Path(__file__).parent / "golden"
Schema = dict[str, Any]


def schema_of(fact_type: str) -> Schema:
    """The schema that the code has."""
    return FACT_TYPES[fact_type].model_json_schema()


def golden() -> dict[str, Schema]:
    """The schemas that were agreed on."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}


def breaks(old: Schema, new: Schema, where: str = "") -> list[str]:
    """What a reader of `old` would miss or misread in `new`, and what an old row lacks for `new`.

    A field may come with a default; whatever was there keeps its name, type and meaning.
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
    old_parts, new_parts = old.get("$defs", {}), new.get("$defs", {})
    for name in old_parts.keys() & new_parts.keys():
        told += breaks(old_parts[name], new_parts[name], f"{where}/{name}")
    return sorted(told)


def _shape(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name not in {"title", "description"}}


def main() -> int:
    """The command; its exit status."""
    agreed = golden()
    now = {fact_type: schema_of(fact_type) for fact_type in FACT_TYPES}
    broken = [
        f"{fact_type}: {what}"
        for fact_type in agreed.keys() & now.keys()
        for what in breaks(agreed[fact_type], now[fact_type])
    ]
    if broken:
        sys.stderr.write("\n".join(["This needs a new major version:", *sorted(broken), ""]))
        return 1
    for fact_type, schema in now.items():
        text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
        (FOLDER / f"{fact_type}.json").write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
