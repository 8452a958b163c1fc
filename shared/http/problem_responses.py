"""The answer that says why a request was refused, and the headers of every answer."""

import json

from aiohttp import web

from shared.http.refusals import BodyTooLarge, BodyTooSlow
from shared.problems import Refusal, RefusalKind

END_OF_LINE = b"\n"
"""Ends every JSON answer, so that a terminal shows the next prompt on a line of its own."""
CHALLENGE = 'Bearer realm="rolecall"'


def common_headers(request_id: str) -> dict[str, str]:
    """The headers of every answer; without `Server`, aiohttp would name its version."""
    return {
        "Server": "rolecall",
        "X-Request-ID": request_id,
        "X-Content-Type-Options": "nosniff",
    }


def problem_response(refusal: Refusal, request_id: str) -> web.Response:
    """The problem document that answers a refusal."""
    response = web.Response(
        status=refusal.status,
        body=json.dumps(refusal.problem(request_id), ensure_ascii=False).encode() + END_OF_LINE,
        content_type="application/problem+json",
        headers=common_headers(request_id) | refusal.headers,
    )
    if refusal.kind is RefusalKind.UNAUTHENTICATED:
        response.headers.setdefault("WWW-Authenticate", CHALLENGE)  # RFC 9110, 15.5.2
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, BodyTooLarge | BodyTooSlow):
        # The rest of the body is not read.
        response.force_close()
    return response
