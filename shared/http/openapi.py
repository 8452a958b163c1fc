"""The OpenAPI 3.1 document of a ROUTES table."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from shared.http.access import Access, Admin, Client, Internal, Permission, Public, SessionOrClient
from shared.http.api import Api
from shared.http.error_forms import ErrorForm
from shared.http.routes import Route, Strictness
from shared.ids import PREFIXES
from shared.problems import STATUS, Refusal

PROBLEM = "Problem"
OAUTH_ERROR = "OAuthError"
VERSION = "1"
_RULE_IDS = re.compile(r" ?\(`?(?:Rp|Ro|Ci|Nv|B|T)\d+`?(?:, `?(?:Rp|Ro|Ci|Nv|B|T)\d+`?)*\)")
_REF = "#/components/schemas/{model}"
_Key = tuple[type[Any], JsonSchemaMode]


def document(apis: Sequence[Api], *, title: str = "Rolecall") -> dict[str, Any]:
    """The OpenAPI document of all rows of `apis`."""
    return document_of([route for api in apis for route in api.routes], title=title)


def document_of(routes: Sequence[Route], *, title: str = "Rolecall") -> dict[str, Any]:
    """The OpenAPI document of these rows, which this process need not serve."""
    schemas, definitions = _schemas(routes)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        paths[route.path][route.method.lower()] = _operation(route, schemas, definitions)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": {**definitions, PROBLEM: _PROBLEM_SCHEMA, **_oauth_schema(routes)},
            "securitySchemes": {
                "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "serviceToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "operatorKey": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _schemas(routes: Iterable[Route]) -> tuple[dict[_Key, dict[str, Any]], dict[str, Any]]:
    wanted: dict[_Key, None] = {}
    for route in routes:
        for model in (route.takes, route.query):
            if model is not None:
                wanted[model, "validation"] = None
        if route.gives is not None:
            wanted[route.gives, "serialization"] = None
    schemas, definitions = models_json_schema(list(wanted), ref_template=_REF)
    return dict(schemas), _without_rule_ids(definitions.get("$defs", {}))


def _without_rule_ids(value: Any) -> Any:
    """The schemas with descriptions for customers, who do not know the ids of docs/rules.md."""
    if isinstance(value, list):
        return [_without_rule_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _RULE_IDS.sub("", item)
        if name == "description" and isinstance(item, str)
        else _without_rule_ids(item)
        for name, item in value.items()
    }


def _operation(
    route: Route, schemas: dict[_Key, dict[str, Any]], definitions: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.tag],
        "responses": _responses(route, schemas),
    }
    parameters = [*_path_parameters(route), *_query_parameters(route, schemas, definitions)]
    if route.idempotent:
        parameters.append(_IDEMPOTENCY_KEY)
    if parameters:
        operation["parameters"] = parameters
    if route.takes is not None:
        schema = schemas[route.takes, "validation"]
        if route.strictness is Strictness.STRICT:
            _named(schema, definitions)["additionalProperties"] = False
        operation["requestBody"] = {
            "required": True,
            "content": {route.media.value: {"schema": schema}},
        }
    scheme = _scheme(route.access)
    operation["security"] = [] if scheme is None else [{scheme: []}]
    if isinstance(route.access, Permission):
        operation["x-permission"] = route.access.name
        if route.access.in_project is not None:
            operation["x-project-permission"] = route.access.in_project
    if isinstance(route.access, Client | SessionOrClient):
        operation["x-scope"] = route.access.scope
    return operation


def _responses(route: Route, schemas: dict[_Key, dict[str, Any]]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    if route.may_have_no_body:
        responses["204"] = {"description": "Success. The answer has no body."}
    if route.gives is None:
        responses["204" if route.status == 200 else str(route.status)] = {
            "description": "Success. The answer has no body."
        }
    else:
        content = {"application/json": {"schema": schemas[route.gives, "serialization"]}}
        responses[str(route.status)] = {"description": "Success.", "content": content}
    if route.effective_everywhere:
        responses["202"] = {
            "description": "Success, but not effective on every replica yet: see Location.",
            "headers": {name: {"schema": {"type": "string"}} for name in _EFFECT_HEADERS},
        }
    by_status: dict[int, list[type[Refusal]]] = defaultdict(list)
    for refusal in route.all_refusals():
        by_status[STATUS[refusal.kind]].append(refusal)
    for status, refusals in sorted(by_status.items()):
        codes = sorted({refusal.code for refusal in refusals})
        responses[str(status)] = {
            "description": "; ".join(codes),
            "content": {route.errors.value: {"schema": {"$ref": _ref(_SCHEMA_OF[route.errors])}}},
            "x-codes": codes,
        }
    return responses


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    parameters = []
    for name in route.parameters:
        prefix = PREFIXES.get(name)
        schema = {"type": "string"}
        if prefix is not None:
            schema["pattern"] = f"^{prefix}_[0-9a-f]{{32}}$"
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    return parameters


def _query_parameters(
    route: Route, schemas: dict[_Key, dict[str, Any]], definitions: dict[str, Any]
) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = _named(schemas[route.query, "validation"], definitions)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": member}
        for name, member in schema.get("properties", {}).items()
    ]


def _named(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    named: dict[str, Any] = definitions[reference.rpartition("/")[2]]
    return named


def _scheme(access: Access) -> str | None:
    match access:
        case Public():
            return None
        case Internal():
            return "serviceToken"
        case Admin():
            return "operatorKey"
        case _:
            return "accessToken"


def _oauth_schema(routes: Iterable[Route]) -> dict[str, Any]:
    """The schema of OAuth errors, if one of the rows answers with them."""
    used = any(route.errors is ErrorForm.OAUTH for route in routes)
    return {OAUTH_ERROR: _OAUTH_ERROR_SCHEMA} if used else {}


def _ref(name: str) -> str:
    return _REF.format(model=name)


_EFFECT_HEADERS = ("Rolecall-Revision", "Location")
_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
}
_SCHEMA_OF = {ErrorForm.PROBLEM: PROBLEM, ErrorForm.OAUTH: OAUTH_ERROR}
_OAUTH_ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "An error as RFC 6749, section 5.2, has it",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string", "description": "The code of the error, for programs"},
        "error_description": {"type": "string"},
    },
}
_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "The stable code of the refusal, for programs"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {
                    "pointer": {"type": "string", "format": "json-pointer"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
