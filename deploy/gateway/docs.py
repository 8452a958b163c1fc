"""The page `/docs`, which shows every public route without a script."""

from collections.abc import Mapping
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem; }
h1 { margin-bottom: 0; } h2 { margin: 2rem 0 .5rem; text-transform: capitalize; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0; }
summary { cursor: pointer; padding: .5rem .8rem; display: flex; gap: .8rem; flex-wrap: wrap; }
code { font: .92em ui-monospace, monospace; overflow-wrap: anywhere; }
.method { font-weight: 700; min-width: 4.2rem; } .what { opacity: .75; }
.inside { padding: 0 1rem .8rem; } pre { background: var(--soft); overflow: auto; padding: .8rem; }
td, th { text-align: left; padding: .15rem .8rem .15rem 0; vertical-align: top; }
"""


def page(document: Mapping[str, Any]) -> str:
    """Render the OpenAPI document as one HTML page; each route unfolds in place."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for tag in operation.get("tags", ["other"]):
                by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    sections = "".join(
        f"<h2>{escape(tag)}</h2>{''.join(rows)}" for tag, rows in sorted(by_tag.items())
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Rolecall API</title><style>{STYLE}</style><h1>Rolecall API</h1>"
        '<p>Every route of the gateway. Programs read <a href="/openapi.json">openapi.json</a>.</p>'
        f"{sections}<h2>Schemas</h2>{_schemas(document['components']['schemas'])}</html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    answers = "".join(
        f"<tr><td>{escape(status)}<td>{escape(answer.get('description', ''))}"
        for status, answer in operation.get("responses", {}).items()
    )
    body = operation.get("requestBody", {}).get("content", {})
    takes = "".join(
        f"<p>Takes <code>{escape(media)}</code>: {_schema_link(content.get('schema', {}))}"
        for media, content in body.items()
    )
    parameters = "".join(
        f"<tr><td><code>{escape(item['name'])}</code><td>{escape(item['in'])}"
        f"<td>{escape(item.get('description', ''))}"
        for item in operation.get("parameters", [])
    )
    return (
        f'<details id="{escape(operation["operationId"])}"><summary>'
        f'<span class="method">{method.upper()}</span><code>{escape(path)}</code>'
        f'<span class="what">{escape(operation.get("summary", ""))}</span></summary>'
        f'<div class="inside"><p>{escape(operation.get("description", ""))}{takes}'
        f"<table>{parameters}</table><table>{answers}</table></div></details>"
    )


def _schema_link(schema: Mapping[str, Any]) -> str:
    name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
    return f'<a href="#schema-{escape(name)}">{escape(name)}</a>' if name else "inline"


def _schemas(schemas: Mapping[str, Any]) -> str:
    rows = []
    for name, schema in sorted(schemas.items()):
        fields = "".join(
            f"<tr><td><code>{escape(field)}</code><td>{escape(_type_of(content))}"
            f"<td>{escape(content.get('description', ''))}"
            for field, content in schema.get("properties", {}).items()
        )
        rows.append(
            f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code>'
            f'<span class="what">{escape(schema.get("description", "").split(chr(10))[0])}</span>'
            f'</summary><div class="inside"><table>{fields}</table></div></details>'
        )
    return "".join(rows)


def _type_of(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_of(choice) for choice in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    kind = str(schema.get("type", schema.get("const", "any")))
    return f"list of {_type_of(schema['items'])}" if "items" in schema else kind
