"""What the spans of requests and of calls to other services tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared import tracing
from shared.contracts.calls.base import InternalCall
from shared.http.routes import Route
from shared.tracing import SpanKind, TraceSpan

FIRST_SERVER_ERROR = 500


def tell_request(span: TraceSpan, route: Route | None, status: int, request_id: str) -> None:
    """Tell the route and the status; a request of a polled route, or of none, is left out."""
    if route is None or route.polled:
        span.dropped = True
        return
    span.name = f"{route.method} {route.path}"
    span.failed = status >= FIRST_SERVER_ERROR
    span.attributes = {
        "http.request.method": route.method,
        "http.route": route.path,
        "http.response.status_code": status,
        "rolecall.request_id": request_id,
    }


@contextmanager
def call_span(call: InternalCall[Any, Any], callee: str) -> Iterator[None]:
    """A span of a call, with all replicas that are asked; a polled call is left out."""
    with tracing.span(SpanKind.CLIENT, f"{callee} {call.name}") as span:
        span.attributes = {"rolecall.callee": callee, "http.route": call.path}
        span.dropped = call.polled
        yield
