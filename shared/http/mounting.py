"""Mounting the APIs of one or more services on one aiohttp application.

The middleware here writes the problems: for refusals, for the router's own 404 and 405, and for
faults of the product.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Middleware

from shared import context, metrics, tracing
from shared.auth.internal_tokens import SERVICE_HEADER
from shared.http.access import Internal, Public
from shared.http.access_log import AccessLog
from shared.http.api import Api
from shared.http.error_forms import ErrorForm
from shared.http.gateways import refusal_for_gateway
from shared.http.openapi import document
from shared.http.problem_responses import END_OF_LINE, common_headers, problem_response
from shared.http.proxies import NO_PROXIES, Proxies
from shared.http.refusals import (
    DeadlineExceeded,
    MethodNotAllowed,
    NoRoute,
    Unexpected,
)
from shared.http.request_spans import tell_request
from shared.http.requests import (
    request_id_of,
    sent_request_id_of,
    traceparent_of,
)
from shared.http.responses import NOT_MODIFIED
from shared.http.routes import PARAMETER, Route
from shared.http.sender_log import SenderLog
from shared.mongo import DatabaseAway
from shared.outage_log import OutageLog
from shared.problems import (
    STATUS,
    Refusal,
    RefusalKind,
    RemoteRefusal,
    Unavailable,
    refusal_of,
)
from shared.quotas import quota_headers
from shared.timeouts import DEFAULT_TIMEOUTS
from shared.tracing import SpanKind

OPENAPI_PATH = "/openapi.json"
UNMATCHED = "-"
ANYTHING_BELOW = "/{below:(?s:.*)}"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ROW: web.RequestKey[tuple[Api, Route]] = web.RequestKey("row", tuple)
_REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
_ERROR_FORMS: web.AppKey[dict[str, ErrorForm]] = web.AppKey("error_forms", dict)
_SENT_ID: web.RequestKey[str | None] = web.RequestKey("sent_id")

_log = logging.getLogger(__name__)


def mount(
    app: web.Application,
    *apis: Api,
    proxies: Proxies = NO_PROXIES,
    request_seconds: float = DEFAULT_TIMEOUTS.request,
    between_services: bool = False,
) -> None:
    """Route every row of `apis`, and `GET /openapi.json` that describes all of them.

    `proxies` are trusted to name the client and to send `Rolecall-Request-ID`. With
    `between_services` the latter is trusted of every sender. A request that is not answered
    within `request_seconds` is stopped.

    Raises:
        ValueError: two rows claim the same method and path.
    """
    _check_claims(apis)
    app[_ERROR_FORMS] = {route.path: route.errors for api in apis for route in api.routes}
    app.middlewares.append(_edge(proxies, between_services=between_services))
    senders = SenderLog()
    for api in apis:
        for route in api.routes:
            handler = _handler(api, route, proxies, request_seconds, senders)
            metrics.start_at_zero(
                metrics.REQUESTS, [api.name], [route.method], [route.path], _statuses(route)
            )
            for method, path in _places(route):
                app.router.add_route(method, path, handler, expect_handler=_expected)
    app.router.add_get(OPENAPI_PATH, _openapi(apis))


def _places(route: Route) -> list[tuple[str, str]]:
    """The methods and paths that the router knows for a row."""
    if route.for_gateways:
        return [("*", route.path), ("*", route.path + ANYTHING_BELOW)]
    methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
    return [(method, route.path) for method in methods]


def _statuses(route: Route) -> frozenset[int]:
    """The statuses that the answers of a route may have."""
    listed = {STATUS[refusal.kind] for refusal in route.all_refusals()}
    listed |= {route.status, STATUS[Unexpected.kind]}
    listed |= {status for status, _ in route.also_gives}
    if (route.gives is None and not route.streams) or route.may_have_no_body:
        listed.add(204)
    if route.effective_everywhere:
        listed.add(202)
    if route.represent is not None and route.method == "GET":
        listed.add(NOT_MODIFIED)
    return frozenset(listed)


def public_paths(*apis: Api) -> dict[str, list[str]]:
    """The path templates of each service, as the gateway routes them.

    Raises:
        ValueError: two rows claim the same method and path.
    """
    _check_claims(apis)
    return {api.name: sorted({route.path for route in api.routes}) for api in apis}


def _check_claims(apis: Sequence[Api]) -> None:
    claimed: dict[tuple[str, str], str] = {}
    for api in apis:
        for route in api.routes:
            claim = route.method, PARAMETER.sub("{}", route.path)
            if claim in claimed:
                owners = f"{claimed[claim]} and {api.name}"
                raise ValueError(f"{route.method} {route.path} is claimed twice, by {owners}")
            claimed[claim] = api.name


def _handler(
    api: Api, route: Route, proxies: Proxies, seconds: float, senders: SenderLog
) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        request[_ROW] = api, route
        context.service.set(api.name)
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await api.answer(
                    route, request, request_id=request[_REQUEST_ID], proxies=proxies
                )
        except TimeoutError:
            if not deadline.expired():
                raise
            raise DeadlineExceeded from None
        except Refusal as refusal:
            senders.refused(refusal, proxies.client_address(request))
            raise

    return handle


async def _expected(request: web.Request) -> None:
    """Answer `100-continue`; aiohttp's own handler would refuse others outside the middleware."""
    if request.headers["Expect"].lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


def _openapi(apis: Sequence[Api]) -> _Handler:
    @cache
    def content() -> bytes:
        # Made at the first request: a gateway answers most of these itself.
        return json.dumps(document(apis), separators=(",", ":")).encode() + END_OF_LINE

    async def give(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content(), content_type="application/json")

    return give


def _edge(proxies: Proxies, *, between_services: bool) -> Middleware:
    """Give each request its ids, and answer each refusal and fault with a problem."""
    outage = OutageLog(_log, "The database", effect="Requests are answered with 503.")
    access_log = AccessLog()

    @web.middleware
    async def edge(request: web.Request, handler: _Handler) -> web.StreamResponse:
        started = time.perf_counter()
        trusted = between_services or proxies.trust(request)
        request_id = request[_REQUEST_ID] = request_id_of(request, trusted=trusted)
        request[_SENT_ID] = sent_request_id_of(request)
        # One task serves all requests of a connection, so each request sets all of these.
        context.request_id.set(request_id)
        context.traceparent.set(traceparent_of(request, between_services=between_services))
        context.actor.set(None)
        context.account_id.set(None)
        context.quotas.set(())
        with tracing.span(SpanKind.SERVER) as span:
            response = await answered(request, handler, request_id, started)
            _, route = request.get(_ROW, (None, None))
            tell_request(span, route, response.status, request_id)
            return response

    async def answered(
        request: web.Request, handler: _Handler, request_id: str, started: float
    ) -> web.StreamResponse:
        refusal: Refusal | None = None
        try:
            response = await handler(request)
        except Refusal as error:
            refusal = error
        except web.HTTPException as error:
            refusal = _of_router(error)
        except DatabaseAway as error:
            outage.away(repr(error))
            refusal = Unavailable()
        except Exception:  # noqa: BLE001 - the caller gets an answer, the log gets the rest
            _log.exception("request failed")
            refusal = Unexpected()
        _, row = request.get(_ROW, (None, None))
        if refusal is not None and row is not None and row.for_gateways:
            refusal = refusal_for_gateway(refusal)
        if refusal is not None:
            form = request.app[_ERROR_FORMS].get(request.path, ErrorForm.PROBLEM)
            response = problem_response(refusal, request_id, form=form)
        _finish(request, response, refusal, time.perf_counter() - started, access_log)
        return response

    return edge


def _of_router(error: web.HTTPException) -> Refusal:
    if isinstance(error, web.HTTPMethodNotAllowed):
        return MethodNotAllowed(tuple(error.allowed_methods))
    if isinstance(error, web.HTTPNotFound):
        return NoRoute()
    return refusal_of(error.status, {})


def _finish(
    request: web.Request,
    response: web.StreamResponse,
    refusal: Refusal | None,
    seconds: float,
    access_log: AccessLog,
) -> None:
    api, route = request.get(_ROW, (None, None))
    response.headers.update(common_headers(request[_REQUEST_ID], request[_SENT_ID]))
    response.headers.update(quota_headers(context.quotas.get()))
    public = route is not None and isinstance(route.access, Public) and route.method == "GET"
    if not public:
        response.headers.setdefault("Cache-Control", "no-store")
    service = UNMATCHED if api is None else api.name
    if route is not None and isinstance(route.access, Internal):
        response.headers[SERVICE_HEADER] = service
    path = _template(request) if route is None else route.path
    metrics.REQUESTS.labels(service, request.method, path, response.status).inc()
    metrics.SECONDS.labels(service, request.method, path).observe(seconds)
    if refusal is not None:
        metrics.REFUSALS.labels(service, request.method, path, refusal.code).inc()
    if refusal is not None and route is not None:
        _check_listed(route, refusal)
    about: dict[str, object] = {"ms": round(seconds * 1000, 2)}
    if request[_SENT_ID] is not None:
        about["sent_request_id"] = request[_SENT_ID]
    if refusal is not None:
        about["problem"] = refusal.code
        if refusal.__cause__ is not None:
            about["reason"] = str(refusal.__cause__)
    polled = route is not None and route.polled
    access_log.write(request.method, path, response.status, polled=polled, **about)


def _template(request: web.Request) -> str:
    """The path of a page, as it was routed; what a sender made up is in no log and no metric."""
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical


def _check_listed(route: Route, refusal: Refusal) -> None:
    """Log a refusal that its row does not list: the documents lack it.

    One of another service has no class of its own, and counts by its code.
    """
    rows = route.all_refusals()
    listed = isinstance(refusal, rows)
    if isinstance(refusal, RemoteRefusal):
        listed = (refusal.kind, refusal.code) in {(one.kind, one.code) for one in rows}
    if refusal.kind is not RefusalKind.UNEXPECTED and not listed:
        _log.error(
            "refusal is not in its row",
            extra={"operation": route.operation_id, "problem": refusal.code},
        )
