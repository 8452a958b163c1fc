"""The JSON schemas of the bodies, queries and answers in an OpenAPI document."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from shared.http.routes import Route, Strictness

REF = "#/components/schemas/{model}"
Schema = dict[str, Any]
_Key = tuple[type[Any], JsonSchemaMode]
_PAGE = re.compile(r"Page_(\w+?)(?:View)?_")
_CLASS_SUFFIX = re.compile(r"(?<=.)(?:View|Answer)$")
_RULE_IDS = re.compile(r" ?\(`?(?:Rp|Ro|Ci|Nv|B|T)\d+`?(?:, `?(?:Rp|Ro|Ci|Nv|B|T)\d+`?)*\)")


class RouteSchemas:
    """The schemas of the models that rows name.

    What a strict row takes is closed: the product refuses members that the schema does not name.
    What a lenient row takes is open, as AuthZEN and RFC 6749 require. A model that both take has a
    schema for each.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        schemas, together = models_json_schema(list(_models(routes)), ref_template=REF)
        definitions = together.get("$defs", {})
        names = _readable_names(definitions)
        self._schemas: dict[_Key, Schema] = {
            key: _for_customers(schema, names) for key, schema in schemas.items()
        }
        self.definitions: dict[str, Schema] = {
            names[name]: _for_customers(schema, names) for name, schema in definitions.items()
        }
        closed = self._taken_by(routes, Strictness.STRICT)
        opened = self._taken_by(routes, Strictness.LENIENT)
        self._names_if_open = {
            name: f"{name}Open" if name in closed else name
            for name in opened
            if "properties" in self.definitions[name]
        }
        for name, name_if_open in self._names_if_open.items():
            copy = self._opened(self.definitions[name])
            self.definitions[name_if_open] = copy | {"additionalProperties": True}
        for name in closed:
            if "properties" in self.definitions[name]:
                self.definitions[name].setdefault("additionalProperties", False)

    def taken(self, model: type[Any], strictness: Strictness) -> Schema:
        """The schema of a body or a query."""
        schema = self._schemas[model, "validation"]
        taken: Schema = schema if strictness is Strictness.STRICT else self._opened(schema)
        return taken

    def given(self, model: type[Any]) -> Schema:
        """The schema of an answer."""
        return self._schemas[model, "serialization"]

    def resolved(self, schema: Schema) -> Schema:
        """The schema that a reference leads to."""
        reference = schema.get("$ref")
        return schema if reference is None else self.definitions[name_in(str(reference))]

    def used_by(self, part: Any) -> dict[str, Schema]:
        """The definitions that a part of a document refers to, also through each other."""
        wanted = list(references(part))
        used: dict[str, Schema] = {}
        while wanted:
            name = name_in(wanted.pop())
            if name not in used and name in self.definitions:
                used[name] = self.definitions[name]
                wanted += references(used[name])
        return dict(sorted(used.items()))

    def _taken_by(self, routes: Sequence[Route], strictness: Strictness) -> dict[str, Schema]:
        return self.used_by(
            [
                self._schemas[route.takes, "validation"]
                for route in routes
                if route.takes is not None and route.strictness is strictness
            ]
        )

    def _opened(self, schema: Any) -> Any:
        """The schema with references to the open schemas."""
        if isinstance(schema, list):
            return [self._opened(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        return {
            name: REF.format(model=self._names_if_open.get(name_in(item), name_in(item)))
            if name == "$ref"
            else self._opened(item)
            for name, item in schema.items()
        }


def name_in(reference: str) -> str:
    """The name of the definition that a reference leads to."""
    return reference.rpartition("/")[2]


def references(node: Any) -> Iterator[str]:
    """Every reference in a part of a document."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from references(item)


def _models(routes: Iterable[Route]) -> dict[_Key, None]:
    wanted: dict[_Key, None] = {}
    for route in routes:
        for model in (route.takes, route.query):
            if model is not None:
                wanted[model, "validation"] = None
        for model in (route.gives, *(other for _, other in route.also_gives)):
            if model is not None:
                wanted[model, "serialization"] = None
    return wanted


def _readable_names(definitions: Iterable[str]) -> dict[str, str]:
    """The names of schemas for customers: `MemberList` for a page of `MemberView`."""
    names = {name: _CLASS_SUFFIX.sub("", _PAGE.sub(r"\1List", name)) for name in definitions}
    taken = Counter([*names.values(), *definitions])
    return {old: new if taken[new] == 1 else old for old, new in names.items()}


def _for_customers(value: Any, names: Mapping[str, str]) -> Any:
    """The schemas without pydantic's titles and the rule ids of docs/rules.md."""
    if isinstance(value, list):
        return [_for_customers(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    cleaned = {}
    for name, item in value.items():
        if name == "title" and isinstance(item, str):
            continue
        if name == "description" and isinstance(item, str):
            cleaned[name] = _RULE_IDS.sub("", item)
        elif name == "$ref":
            cleaned[name] = REF.format(model=names[name_in(item)])
        else:
            cleaned[name] = _for_customers(item, names)
    return cleaned


OAUTH_ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "An error as RFC 6749, section 5.2, has it",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string", "description": "The code of the error, for programs"},
        "error_description": {"type": "string"},
    },
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "The code as a URN"},
        "title": {"type": "string", "description": "The kind of refusal"},
        "status": {"type": "integer", "description": "The HTTP status"},
        "code": {"type": "string", "description": "The stable code of the refusal, for programs"},
        "detail": {"type": "string", "description": "What is wrong and what to do, for people"},
        "request_id": {
            "type": "string",
            "description": "Rolecall's own id of the request, as in the header"
            " `Rolecall-Request-ID` and in the audit log. `X-Request-ID` repeats the caller's",
        },
        "errors": {
            "type": "array",
            "description": "Each fault of the input",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "format": "json-pointer",
                        "description": "The place of the fault in the request",
                    },
                    "message": {"type": "string", "description": "What is wrong there"},
                },
            },
        },
    },
}
