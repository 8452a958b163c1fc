"""Schemas and sentences of an OpenAPI document as HTML."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

Schema = Mapping[str, Any]
_CODE = re.compile(r"`([^`]+)`")
_LIMITS: Mapping[str, str] = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} members",
    "minimum": "at least {}",
    "maximum": "at most {}",
}


def fields(schema: Schema, schemas: Schema) -> str:
    """The members of an object as a table."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(name)}</code>",
            type_of(member) + (", required" if name in required else ""),
            f"{_described(member.get('description', ''))} {limits(member)}",
        )
        for name, member in schema.get("properties", {}).items()
    ]
    return table(("name", "type", "meaning"), rows)


def type_of(schema: Schema) -> str:
    """The type in words, with a link to a schema of its own."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    branches = schema.get("anyOf", schema.get("oneOf"))
    if branches is not None:
        return " or ".join(type_of(branch) for branch in branches)
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if choices:
        return " or ".join(f"<code>{escape(str(choice))}</code>" for choice in choices)
    return _plain_type(schema)


def _plain_type(schema: Schema) -> str:
    more = schema.get("additionalProperties")
    if "items" in schema:
        return f"list of {type_of(schema['items'])}"
    if isinstance(more, Mapping) and more:
        return f"object of {type_of(more)}"
    if schema.get("format") == "date-time":
        return "time"
    return escape(str(schema.get("type", "any value")))


def limits(schema: Schema) -> str:
    """The limits of a value in words."""
    branches = [schema, *schema.get("anyOf", ())]
    said = [
        "not empty" if (key, branch[key]) == ("minLength", 1) else text.format(branch[key])
        for branch in branches
        for key, text in _LIMITS.items()
        if key in branch
    ]
    if schema.get("default") not in (None, ""):
        said.append(f"default <code>{escape(str(schema['default']))}</code>")
    text = ", ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already; nothing if there are no rows."""
    head = "".join(f"<th>{cell}" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
    return f'<div class="scroll"><table><tr>{head}{body}</table></div>' if body else ""


def prose(text: str) -> str:
    """Paragraphs and lists, with code between backticks."""
    return "".join(_block(part) for part in text.split("\n\n") if part.strip())


def _block(part: str) -> str:
    if not part.startswith("- "):
        return f"<p>{inline(part)}</p>"
    items = (f"<li>{inline(item)}</li>" for item in part.removeprefix("- ").split("\n- "))
    return f"<ul>{''.join(items)}</ul>"


def _described(text: str) -> str:
    """The meaning of a member: a sentence, or several blocks."""
    return prose(text) if "\n\n" in text else inline(text)


def inline(text: str) -> str:
    """A sentence, with code between backticks."""
    return _CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()), quote=False))
