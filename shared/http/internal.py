"""The route that serves an internal call."""

from types import NoneType
from typing import Any

from shared.contracts.calls.base import InternalCall
from shared.http.access import Internal
from shared.http.routes import Handler, Route
from shared.problems import Refusal


def internal_route(
    call: InternalCall[Any, Any], handler: Handler, *, refuses: tuple[type[Refusal], ...] = ()
) -> Route:
    """The row of a ROUTES table by which a callee, or a test's stand-in for it, serves `call`."""
    request = None if call.request is NoneType else call.request
    in_body = call.method == "POST"
    return Route(
        method=call.method,
        path=call.path,
        handler=handler,
        operation_id=call.name,
        summary=call.summary,
        tag="internal",
        access=Internal(call.callers),
        takes=request if in_body else None,
        query=None if in_body else request,
        gives=None if call.answer is NoneType else call.answer,
        refuses=refuses,
        polled=call.polled,
    )
