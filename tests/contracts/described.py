"""What the OpenAPI document says of an answer."""

import json
import re
from collections.abc import Mapping
from typing import Any

from deploy.gateway.paths import public_routes
from shared.http.openapi import document_of
from shared.http.routes import PARAMETER
from tests.contracts.verdicts import fits

STREAMED = {media for rows in public_routes().values() for row in rows for media in row.streams}
_ROWS = [row for rows in public_routes().values() for row in rows]
DOCUMENT = document_of(_ROWS)
DEFINITIONS: Mapping[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS: Mapping[str, Mapping[str, Any]] = {
    row.operation_id: DOCUMENT["paths"][row.path][row.method.lower()] for row in _ROWS
}
_PATHS = [
    (row.method, re.compile(PARAMETER.sub("[^/]+", row.path.replace(".", r"\."))), row.operation_id)
    for row in _ROWS
]


def undescribed(
    method: str, path: str, status: int, headers: Mapping[str, str], raw: bytes
) -> str | None:
    """What differs from the description: the status, the media type or the body.

    At a path that no row has, nothing is described.
    """
    operation_id = _operation_of("GET" if method == "HEAD" else method, path.partition("?")[0])
    if operation_id is None:
        return None
    answers = OPERATIONS[operation_id]["responses"]
    if str(status) not in answers:
        return f"{status} is not described, only {', '.join(answers)}"
    return _undescribed_content(answers[str(status)].get("content"), method, headers, raw)


def _undescribed_content(
    content: Mapping[str, Any] | None, method: str, headers: Mapping[str, str], raw: bytes
) -> str | None:
    if content is None:
        return "has a body, and none is described" if raw else None
    media = headers.get("Content-Type", "").partition(";")[0]
    if media not in content:
        return f"is of the type {media!r}, not {' or '.join(content)}"
    if method == "HEAD" or media in STREAMED:
        return None
    try:
        body = json.loads(raw)
    except ValueError:
        return "is not JSON"
    return None if fits(body, content[media]["schema"], DEFINITIONS) else "does not fit its schema"


def _operation_of(method: str, path: str) -> str | None:
    return next(
        (
            operation_id
            for each, pattern, operation_id in _PATHS
            if each == method and pattern.fullmatch(path)
        ),
        None,
    )
