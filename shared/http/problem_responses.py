"""The answer that says why a request was refused, and the headers of every answer."""

import json

from aiohttp import web

from shared.http.error_forms import ErrorForm, error_document, error_headers
from shared.http.refusals import BodyTooLarge, BodyTooSlow
from shared.http.requests import REQUEST_ID_HEADER, SENT_ID_HEADER
from shared.problems import Refusal

END_OF_LINE = b"\n"
"""Ends every JSON answer, so that a terminal shows the next prompt on a line of its own."""


def common_headers(request_id: str, sent_id: str | None = None) -> dict[str, str]:
    """The headers of every answer; without `Server`, aiohttp would name its version.

    `sent_id` is the sender's own id of the request, if it has one.
    """
    return {
        "Server": "rolecall",
        REQUEST_ID_HEADER: request_id,
        SENT_ID_HEADER: sent_id or request_id,
        "X-Content-Type-Options": "nosniff",
    }


def problem_content(
    refusal: Refusal, request_id: str, *, form: ErrorForm = ErrorForm.PROBLEM
) -> bytes:
    """The text of that document."""
    document = error_document(refusal, form, request_id=request_id)
    return json.dumps(document, ensure_ascii=False).encode() + END_OF_LINE


def problem_response(
    refusal: Refusal, request_id: str, *, form: ErrorForm = ErrorForm.PROBLEM
) -> web.Response:
    """The document that answers a refusal, in the form of the path's errors."""
    response = web.Response(
        status=refusal.status,
        body=problem_content(refusal, request_id, form=form),
        content_type=form.value,
        headers=common_headers(request_id) | error_headers(refusal, form),
    )
    if isinstance(refusal, BodyTooLarge | BodyTooSlow):
        # The rest of the body is not read.
        response.force_close()
    return response
