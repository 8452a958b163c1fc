"""The OpenAPI 3.1 document of a ROUTES table."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from shared.http.access import Access, Admin, Internal, Permission, Public, ScopedAccess
from shared.http.api import Api
from shared.http.error_forms import ErrorForm, oauth_code
from shared.http.example_makers import example, without_nulls
from shared.http.examples import BY_NAME, example_id
from shared.http.openapi_schemas import (
    OAUTH_ERROR_SCHEMA,
    PROBLEM_SCHEMA,
    REF,
    RouteSchemas,
    Schema,
)
from shared.http.openapi_texts import (
    DESCRIPTION,
    EFFECT_HEADERS,
    NO_BODY,
    NOT_EFFECTIVE,
    PARAMETERS,
    REFUSAL_HEADERS,
    TAGS,
    description_of,
    header_parameters,
    refusal_text,
    shown_code,
)
from shared.http.responses import NOT_MODIFIED, shows_tag
from shared.http.routes import REVISION_HEADER, Route, Strictness
from shared.http.streams import EVENT_STREAM
from shared.ids import FORMS, PREFIXES
from shared.problems import STATUS, TITLE, Refusal

STREAM_EXAMPLES = {
    EVENT_STREAM: 'event: lease\ndata: {"n":4,"at":81.25,"seconds":3.0,"applied":{}}\n\n',
    "application/x-ndjson": '{"type":"end","records":0}\n',
    "text/csv": "id,occurred_at,…\r\n",
}
EVENT_EXAMPLES = {
    "/tail": 'id: 42.evt_…\nevent: progress\ndata: {"size":42,"complete_until":null}\n\n',
    "/notifications/stream": 'id: 7.msg_…\nevent: unread\ndata: {"unread":3}\n\n',
}
STREAMED_TEXT = {
    True: "Events, for as long as the connection lasts.",
    False: "Records, one in each line. Without the last line, the answer is not whole.",
}
PROBLEM = "Problem"
OAUTH_ERROR = "OAuthError"
VERSION = "1"


def document(apis: Sequence[Api], *, title: str = "Rolecall") -> dict[str, Any]:
    """The OpenAPI document of all rows of `apis` that clients call."""
    rows = [route for api in apis for route in api.routes if not route.for_gateways]
    return document_of(rows, title=title)


def document_of(routes: Sequence[Route], *, title: str = "Rolecall") -> dict[str, Any]:
    """The OpenAPI document of these rows, which this process need not serve."""
    schemas = RouteSchemas(routes)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        paths[route.path][route.method.lower()] = _operation(route, schemas)
    tags = dict.fromkeys(route.tag for route in routes)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": VERSION, "description": DESCRIPTION},
        "tags": [{"name": tag, "description": text} for tag, text in TAGS.items() if tag in tags],
        "paths": paths,
        "components": {
            "schemas": {
                **schemas.used_by(paths),
                PROBLEM: PROBLEM_SCHEMA,
                **_oauth_schema(routes),
            },
            "securitySchemes": {
                "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "serviceToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "operatorKey": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(route: Route, schemas: RouteSchemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": description_of(route),
        "tags": [route.tag],
        "responses": _responses(route, schemas),
    }
    parameters = [*_path_parameters(route), *_query_parameters(route, schemas)]
    parameters += header_parameters(route)
    if parameters:
        operation["parameters"] = parameters
    if route.takes is not None:
        content = _with_example(schemas.taken(route.takes, route.strictness), schemas)
        content["example"] = without_nulls(content["example"])
        operation["requestBody"] = {"required": True, "content": {route.media.value: content}}
    scheme = _scheme(route.access)
    operation["security"] = [] if scheme is None else [{scheme: []}]
    if isinstance(route.access, Permission):
        operation["x-permission"] = route.access.name
        if route.access.in_project is not None:
            operation["x-project-permission"] = route.access.in_project
    if isinstance(route.access, ScopedAccess):
        operation["x-scope"] = route.access.scope
    return operation


def _responses(route: Route, schemas: RouteSchemas) -> dict[str, Any]:
    responses = _success(route, schemas)
    if shows_tag(route):
        etag = {"ETag": {"schema": {"type": "string"}}}
        responses[str(route.status)]["headers"] = etag
        if route.method == "GET":
            responses[str(NOT_MODIFIED)] = {
                "description": "The state is one that `If-None-Match` names.",
                "headers": etag,
            }
    for status, model in route.also_gives:
        content = {"application/json": _with_example(schemas.given(model), schemas)}
        responses[str(status)] = {"description": "Success.", "content": content}
    if route.gives_revision:
        _name_revision(responses, route)
    if route.effective_everywhere:
        responses["202"] = {"description": NOT_EFFECTIVE, "headers": EFFECT_HEADERS}
    by_status: dict[int, list[type[Refusal]]] = defaultdict(list)
    for refusal in route.all_refusals():
        by_status[STATUS[refusal.kind]].append(refusal)
    for status, refusals in sorted(by_status.items()):
        responses[str(status)] = _refused(status, refusals, route)
    return responses


def _success(route: Route, schemas: RouteSchemas) -> dict[str, Any]:
    """The answer without a body, and the one with the status of the row."""
    responses: dict[str, Any] = {}
    if route.may_have_no_body:
        responses["204"] = {"description": NO_BODY}
    if route.streams:
        responses["200"] = {
            "description": STREAMED_TEXT[route.streams[0] == EVENT_STREAM],
            "content": {
                media: {"schema": {"type": "string"}, "example": _stream_example(route, media)}
                for media in route.streams
            },
        }
    elif route.gives is None:
        responses["204" if route.status == 200 else str(route.status)] = {"description": NO_BODY}
    else:
        content = {"application/json": _with_example(schemas.given(route.gives), schemas)}
        responses[str(route.status)] = {"description": "Success.", "content": content}
    return responses


def _stream_example(route: Route, media: str) -> str:
    found = (text for end, text in EVENT_EXAMPLES.items() if route.path.endswith(end))
    return next(found, STREAM_EXAMPLES[media])


def _name_revision(responses: dict[str, Any], route: Route) -> None:
    """The header of the answers that name an account of another service."""
    for status in [status for status, _ in route.also_gives] or [route.status]:
        responses[str(status)]["headers"] = {REVISION_HEADER: EFFECT_HEADERS[REVISION_HEADER]}


def _refused(status: int, refusals: Sequence[type[Refusal]], route: Route) -> dict[str, Any]:
    code, detail = refusals[0].code, refusal_text(refusals[0], route)
    lines = {
        f"- `{shown_code(refusal, route)}`: {refusal_text(refusal, route)}" for refusal in refusals
    }
    example_document = {
        ErrorForm.PROBLEM: {
            "type": f"urn:rolecall:problem:{code}",
            "title": TITLE[refusals[0].kind],
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": BY_NAME["request_id"],
        },
        ErrorForm.OAUTH: {"error": oauth_code(refusals[0]), "error_description": detail},
    }[route.errors]
    described = {
        "description": "\n".join(sorted(lines)),
        "content": {
            route.errors.value: {
                "schema": {"$ref": REF.format(model=_SCHEMA_OF[route.errors])},
                "example": example_document,
            }
        },
        "x-codes": sorted({refusal.code for refusal in refusals}),
    }
    if status in REFUSAL_HEADERS:
        described["headers"] = REFUSAL_HEADERS[status]
    return described


def _with_example(schema: Schema, schemas: RouteSchemas) -> dict[str, Any]:
    return {"schema": schema, "example": example(schema, schemas.definitions)}


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    parameters = []
    for name in route.parameters:
        prefix = PREFIXES.get(name)
        schema = {"type": "string"}
        if prefix is not None:
            schema["pattern"] = f"^{prefix}_[0-9a-f]{{32}}$"
        elif name in FORMS:
            schema["pattern"] = f"^{FORMS[name].pattern}$"
        value = BY_NAME.get(name, name) if prefix is None else example_id(prefix)
        parameters.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                **_described(PARAMETERS.get(name)),
                "schema": schema,
                "example": value,
            }
        )
    return parameters


def _query_parameters(route: Route, schemas: RouteSchemas) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = schemas.resolved(schemas.taken(route.query, Strictness.STRICT))
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            **_described(member.get("description")),
            "schema": {key: value for key, value in member.items() if key != "description"},
            "example": example(member, schemas.definitions, name),
        }
        for name, member in schema.get("properties", {}).items()
    ]


def _described(text: str | None) -> dict[str, Any]:
    return {} if text is None else {"description": text}


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


def _oauth_schema(routes: Sequence[Route]) -> dict[str, Any]:
    """The schema of OAuth errors, if one of the rows answers with them."""
    used = any(route.errors is ErrorForm.OAUTH for route in routes)
    return {OAUTH_ERROR: OAUTH_ERROR_SCHEMA} if used else {}


_SCHEMA_OF = {ErrorForm.PROBLEM: PROBLEM, ErrorForm.OAUTH: OAUTH_ERROR}
