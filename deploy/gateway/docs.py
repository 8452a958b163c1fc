"""The page `/docs`, which shows every public route without a script."""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from deploy.gateway.schema_words import fields, inline, limits, prose, table, type_of

STYLE = (Path(__file__).parent / "docs.css").read_text()
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
"""The page has its one style and nothing else: no script, no picture, no other address."""

Operation = Mapping[str, Any]
_OF_ALL_ROUTES: Mapping[str, str] = {
    "permission-missing": "You need the permission of the route. Ask an admin of the account.",
    "wrong-principal": "The access token is of another kind than the route accepts.",
}
"""The texts of refusals that each route words for itself."""
_REFUSAL = re.compile(r"^- `([^`]+)`: (.*)$", re.MULTILINE)


def page(document: Mapping[str, Any]) -> str:
    """Render the OpenAPI document as one HTML page; each route unfolds in place."""
    by_tag: dict[str, list[tuple[str, str, Operation]]] = {
        tag["name"]: [] for tag in document["tags"]
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append((method, path, operation))
    texts = {tag["name"]: tag["description"] for tag in document["tags"]}
    rows = [row for rows in by_tag.values() for row in rows]
    common = _common_refusals(operation for _, _, operation in rows)
    schemas = document["components"]["schemas"]
    sections = "".join(
        f'<section><h2 id="tag-{escape(tag)}">{escape(_title(tag))}</h2>'
        f'<p class="lead">{inline(texts.get(tag, ""))}</p>'
        + "".join(_operation(*row, common=common, schemas=schemas) for row in rows)
        + "</section>"
        for tag, rows in by_tag.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Rolecall API</title><style>{STYLE}</style></head><body>"
        f'<div class="layout"><nav aria-label="Index">{_index(by_tag)}</nav><main>'
        f"<h1>Rolecall API</h1>{prose(document['info']['description'])}"
        '<p>Programs read <a href="/openapi.json">openapi.json</a>. In the examples <code>$G</code>'
        " is the address of this gateway, and <code>$TOKEN</code> an access token.</p>"
        f"{sections}{_common_section(common)}{_schemas(schemas)}</main></div></body></html>"
    )


def _index(by_tag: Mapping[str, Iterable[tuple[str, str, Operation]]]) -> str:
    groups = []
    for tag, rows in by_tag.items():
        entries = "".join(
            f'<li><a href="#{escape(operation["operationId"])}">{_method(method)}'
            f"<span>{escape(operation['summary'])}</span></a></li>"
            for method, _, operation in rows
        )
        groups.append(
            f'<div class="group"><a href="#tag-{escape(tag)}">{escape(_title(tag))}</a>'
            f"<ul>{entries}</ul></div>"
        )
    more = (("common-refusals", "Refusals"), ("schemas", "Schemas"))
    groups += [f'<div class="group"><a href="#{place}">{title}</a></div>' for place, title in more]
    return "".join(groups)


def _operation(
    method: str,
    path: str,
    operation: Operation,
    *,
    common: Mapping[str, str],
    schemas: Mapping[str, Any],
) -> str:
    # A link to a place inside a closed `details` opens it, so the id is not on `details` itself.
    return (
        f"<details><summary>{_method(method)}<code>{escape(path)}</code>"
        f'<span class="what">{escape(operation["summary"])}</span></summary>'
        f'<div class="inside" id="{escape(operation["operationId"])}">'
        f"{_rights(operation)}<p>{inline(operation['description'])}</p>"
        f"{_parameters(operation.get('parameters', []))}"
        f"{_body(method, path, operation, schemas)}{_answers(operation)}"
        f"{_refusals(operation, common)}</div></details>"
    )


def _rights(operation: Operation) -> str:
    keys = (
        ("x-permission", "permission"),
        ("x-project-permission", "permission in the project"),
        ("x-scope", "scope of a service client"),
    )
    return "".join(
        f'<span class="permission">{label} <code>{escape(operation[key])}</code></span>'
        for key, label in keys
        if key in operation
    )


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"<code>{escape(item['name'])}</code>",
            escape(item["in"]) + (", required" if item["required"] else ""),
            _meaning(item),
        )
        for item in parameters
    ]
    return _block("Parameters", ("name", "in", "meaning"), rows)


def _meaning(parameter: Mapping[str, Any]) -> str:
    text = inline(parameter.get("description", "").rstrip("."))
    example = escape(str(parameter["example"]))
    return f"{text}. {limits(parameter['schema'])} Example: <code>{example}</code>"


def _body(method: str, path: str, operation: Operation, schemas: Mapping[str, Any]) -> str:
    request = operation.get("requestBody")
    token = operation["security"] != []
    if request is None:
        return f"<h3>Example</h3>{_curl(method, path, operation, token=token)}"
    [(media, content)] = request["content"].items()
    return (
        f"<h3>Body</h3><p><code>{escape(media)}</code>, {type_of(content['schema'])}</p>"
        f"{prose(schemas[content['schema']['$ref'].rpartition('/')[2]].get('description', ''))}"
        f"{fields(content['schema'], schemas)}"
        f"<h3>Example</h3>{_curl(method, path, operation, token=token, media=media)}"
    )


def _curl(
    method: str, path: str, operation: Operation, *, token: bool, media: str | None = None
) -> str:
    address = path
    for item in operation.get("parameters", []):
        if item["in"] == "path":
            address = address.replace(f"{{{item['name']}}}", str(item["example"]))
    lines = [f"curl {'' if method == 'get' else f'-X {method.upper()} '}$G{address}"]
    if token:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if media is not None:
        body = operation["requestBody"]["content"][media]["example"]
        if media == "application/json":
            lines.append(f"-H 'Content-Type: {media}'")
            lines.append(f"-d '{_json(body)}'")
        else:
            lines += [f"--data-urlencode {name}={value}" for name, value in body.items()]
    return f"<pre>{escape(f' {chr(92)}{chr(10)}  '.join(lines))}</pre>"


def _json(value: Any) -> str:
    """JSON on one line if it is short."""
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= 72 else json.dumps(value, ensure_ascii=False, indent=2)


def _answers(operation: Operation) -> str:
    parts = []
    for status, answer in sorted(operation["responses"].items()):
        if status >= "300":
            continue
        parts.append(f"<p><strong>{escape(status)}</strong> {inline(answer['description'])}")
        headers = ", ".join(f"<code>{escape(name)}</code>" for name in answer.get("headers", {}))
        parts.append(f" Headers: {headers}.</p>" if headers else "</p>")
        for content in answer.get("content", {}).values():
            text = escape(_json(content["example"]))
            parts.append(f"<p>{type_of(content['schema'])}</p><pre>{text}</pre>")
    return f"<h3>Answers</h3>{''.join(parts)}"


def _refusals(operation: Operation, common: Mapping[str, str]) -> str:
    rows = [
        (escape(status), f"<code>{escape(code)}</code>", inline(text))
        for status, code, text in _refusals_of(operation)
        if code not in common
    ]
    link = '<p>Also the <a href="#common-refusals">refusals of most routes</a>.</p>'
    return _block("Refusals", ("status", "code", "meaning"), rows) + link


def _refusals_of(operation: Operation) -> Iterable[tuple[str, str, str]]:
    for status, answer in operation["responses"].items():
        if status >= "400":
            for code, text in _REFUSAL.findall(answer["description"]):
                yield status, code, text


def _common_refusals(operations: Iterable[Operation]) -> dict[str, str]:
    """The refusals of at least a third of the routes: code → row. The page shows them once."""
    rows: dict[str, str] = {}
    counts: Counter[str] = Counter()
    number = 0
    for operation in operations:
        number += 1
        for status, code, text in _refusals_of(operation):
            counts[code] += 1
            said = inline(_OF_ALL_ROUTES.get(code, text))
            rows.setdefault(code, f"<tr><td>{status}<td><code>{escape(code)}</code><td>{said}")
    common = [code for code, count in counts.items() if count * 3 >= number]
    return {code: rows[code] for code in sorted(common, key=lambda code: (rows[code][:11], code))}


def _common_section(common: Mapping[str, str]) -> str:
    return (
        '<section><h2 id="common-refusals">Refusals of most routes</h2>'
        '<p class="lead">Each is a <a href="#schema-Problem">Problem</a>.</p>'
        '<div class="scroll"><table><tr><th>status<th>code<th>meaning'
        f"{''.join(common.values())}</table></div></section>"
    )


def _schemas(schemas: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<details><summary><code>{escape(name)}</code>"
        f'<span class="what">{inline(_first_line(schema))}</span></summary>'
        f'<div class="inside" id="schema-{escape(name)}">'
        f"{prose(schema.get('description', ''))}{_shape(schema, schemas)}</div></details>"
        for name, schema in schemas.items()
    )
    return f'<section><h2 id="schemas">Schemas</h2>{rows}</section>'


def _shape(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    return fields(schema, schemas) if "properties" in schema else f"<p>{type_of(schema)}</p>"


def _block(title: str, header: Iterable[str], rows: list[tuple[str, str, str]]) -> str:
    return f"<h3>{title}</h3>{table(header, rows)}" if rows else ""


def _method(method: str) -> str:
    return f'<span class="method {method}">{method.upper()}</span>'


def _title(tag: str) -> str:
    known = {"oauth": "OAuth and keys", "sign-in": "Sign-up and sign-in"}
    return known.get(tag, tag.capitalize())


def _first_line(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", "")).split("\n\n")[0]
