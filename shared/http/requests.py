"""The origin of a request: its id, trace and user agent."""

import re

from aiohttp import web

from shared import tracing
from shared.contracts.facts import RequestInfo
from shared.ids import RequestIds

MAX_USER_AGENT_CHARACTERS = 256
REQUEST_ID_HEADER = "Rolecall-Request-ID"
"""The product's own id of a request, in answers and in calls between services."""
SENT_ID_HEADER = "X-Request-ID"
"""The sender's id of a request, which the answer repeats."""
SENT_ID_PATTERN = "[\\x21-\\x7e]{1,200}"

_SENT_ID = re.compile(SENT_ID_PATTERN)
_OWN_ID = re.compile(r"req_[0-9a-f]{32}")
_IDS = RequestIds()
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def request_id_of(request: web.Request, *, trusted: bool) -> str:
    """The product's own id of the request, under which log and audit have it.

    A `trusted` sender, the gateway or another service, may have made it. All others get a new one:
    they could otherwise write under the id of another request.
    """
    return own_id(request.headers.get(REQUEST_ID_HEADER), trusted=trusted)


def own_id(made: str | None, *, trusted: bool) -> str:
    """The id that the sender made if it is trusted and well formed, otherwise a new one."""
    return made if trusted and made is not None and _OWN_ID.fullmatch(made) else _IDS.new()


def sent_request_id_of(request: web.Request) -> str | None:
    """The sender's `X-Request-ID` if it is one value that can be repeated."""
    sent = request.headers.getall(SENT_ID_HEADER, [])
    return repeatable_id(sent[0]) if len(sent) == 1 else None


def repeatable_id(sent: str) -> str | None:
    """The sender's id of a request if it can be repeated."""
    return sent if _SENT_ID.fullmatch(sent) else None


def traceparent_of(request: web.Request, *, between_services: bool) -> str | None:
    """The W3C trace context of the sender, if it is well formed.

    Only another service of the product says with it whether the trace is exported.
    """
    sent = tracing.well_formed(request.headers.get("traceparent"))
    return sent if between_services else tracing.of_stranger(sent)


def info_of(
    request: web.Request, *, request_id: str, traceparent: str | None, ip: str | None
) -> RequestInfo:
    """The part of a request that its audit record keeps."""
    agent = request.headers.get("User-Agent")
    return RequestInfo(
        request_id=request_id,
        trace_id=None if traceparent is None else traceparent.split("-")[1],
        ip=ip,
        user_agent=None
        if agent is None
        else _UNPRINTABLE.sub("?", agent[:MAX_USER_AGENT_CHARACTERS]),
    )
