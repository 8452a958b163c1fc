"""The response of a request that succeeded."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel

from shared.http.entity_tags import TaggedAnswer
from shared.http.problem_responses import END_OF_LINE
from shared.http.routes import REVISION_HEADER, Call, Reply, Route
from shared.http.streams import Stream, StreamedResponse

NOT_MODIFIED = 304


def response_of(call: Call[Any, Any], result: BaseModel | Reply | None) -> web.StreamResponse:
    """Make the response from what the handler returned.

    Raises:
        PreconditionFailed: a read names other entity tags than the one of its answer.
    """
    route = call.route
    reply = result if isinstance(result, Reply) else Reply(body=result)
    headers = dict(reply.headers)
    status = reply.status
    written = reply.written
    if written is not None and written.revision is not None:
        headers[REVISION_HEADER] = written.revision
        if not written.effective:
            status = 202
            if "account_id" in call.path:
                account = f"/v1/accounts/{call.path['account_id']}"
                headers.setdefault("Location", f"{account}/revisions/{written.revision}")
    if reply.body is None:
        return web.Response(status=status or 204, headers=headers)
    if isinstance(reply.body, Stream):
        return StreamedResponse(reply.body, headers)
    if isinstance(reply.body, bytes):
        headers["Content-Type"] = reply.content_type
        return web.Response(body=reply.body, status=status or route.status, headers=headers)
    if route.gives is None or not isinstance(reply.body, route.gives):
        raise TypeError(f"{route.operation_id} answered with another class than its row names")
    if shows_tag(route) and isinstance(reply.body, TaggedAnswer):
        headers["ETag"] = reply.body.read_tag
        if route.method == "GET" and _is_known(call, reply.body.read_tag):
            return web.Response(status=NOT_MODIFIED, headers=headers)
    headers["Content-Type"] = reply.content_type
    content = reply.body.model_dump_json(by_alias=True).encode() + END_OF_LINE
    return web.Response(body=content, status=status or route.status, headers=headers)


def shows_tag(route: Route) -> bool:
    """Whether the route answers with the header `ETag`.

    The answer of a PUT has none (RFC 9110, 9.3.4): the stored representation is not the sent one.
    A DELETE leaves nothing that it could name.
    """
    return route.represent is not None and route.method in {"GET", "PATCH"}


def _is_known(call: Call[Any, Any], tag: str) -> bool:
    """Whether the caller of a read has this state already."""
    if call.precondition is None:
        return False
    call.precondition.require_match(tag)
    return call.precondition.excludes(tag)
