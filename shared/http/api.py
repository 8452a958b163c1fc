"""The steps from a request that matches a row to its answer."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from shared import context
from shared.auth.authenticator import Authenticator
from shared.auth.principals import Member, Principal, actor_of
from shared.contracts.facts import Caller
from shared.http.access import Admin, Client, Internal, Permission, decided_in_project
from shared.http.account_routes import ACCOUNT_PREFIX, AccountRouteHook
from shared.http.admission import Sender, admit, authenticate, refused_by_token
from shared.http.bodies import BODY_SECONDS, ReceivedBody, announced_bytes, receive_body
from shared.http.checker import Checker
from shared.http.entity_tags import TaggedAnswer
from shared.http.error_forms import ErrorForm
from shared.http.idempotency import Idempotency, IdempotencyGuard, RepeatedRequest, read_key
from shared.http.lanes import (
    LANE_BODY_BYTES,
    LANE_LIMITS,
    Admission,
    Lane,
    body_limits,
    client_share,
    share_of,
)
from shared.http.preconditions import read_precondition
from shared.http.proxies import Proxies
from shared.http.refusals import NotInPath
from shared.http.requests import info_of
from shared.http.responses import response_of, shows_tag
from shared.http.routes import Call, Media, Reply, Route, Strictness, revision_of
from shared.http.validation import check_no_field_in_query, check_strings
from shared.ids import AccountId, fits_path
from shared.problems import NotFound, Refusal, Unavailable
from shared.quotas import QuotaUnit

INTERNAL_PREFIX = "/internal/"


class Api:
    """The routes of one service, ready to be mounted.

    `ctx` is handed to every handler. `account_routes` is applied to every row below
    `/v1/accounts/{account_id}`: it authorizes them, and makes the third argument of their handlers.
    Without it, rows with a `Permission` need `checker`. Rows that are `idempotent` need
    `idempotency`. While `closed` is set, every request is answered with 503. `lane_limits` are the
    requests of each kind that are worked on at the same time, and `lane_body_bytes` the bytes of
    their bodies.
    """

    def __init__(
        self,
        name: str,
        routes: Sequence[Route],
        ctx: Any,
        *,
        authenticator: Authenticator | None = None,
        checker: Checker | None = None,
        idempotency: Idempotency | None = None,
        account_routes: AccountRouteHook | None = None,
        body_seconds: float = BODY_SECONDS,
        lane_limits: Mapping[Lane, int] = LANE_LIMITS,
        lane_body_bytes: int = LANE_BODY_BYTES,
    ) -> None:
        self.name = name
        self.routes = tuple(routes)
        self.closed = False
        self._ctx = ctx
        self._authenticator = authenticator or Authenticator()
        self._checker = checker
        self._idempotency = idempotency
        self._account_routes = account_routes
        self._body_seconds = body_seconds
        self._admission = Admission(name, limits=lane_limits)
        self._incoming = Admission(name, limits=body_limits(lane_limits))
        self._body_bytes = Admission(
            name, limits=dict.fromkeys(lane_limits, lane_body_bytes), unit=QuotaUnit.BYTES_AT_ONCE
        )
        for route in self.routes:
            self._check_row(route)

    async def answer(
        self, route: Route, request: web.Request, *, request_id: str, proxies: Proxies
    ) -> web.StreamResponse:
        """Answer one request.

        Raises:
            Refusal: the request is refused.
        """
        if self.closed:
            raise Unavailable
        principal = await authenticate(self._authenticator, route.access, request)
        ip = proxies.client_address(request)
        lane, share = share_of(route.access, principal, ip)
        refusal = refused_by_token(route.access, principal)
        # Of a caller that the route refuses no body is read, and nothing is told about it.
        size = announced_bytes(request, route) if refusal is None else 0
        with self._body_bytes.place(lane, share, size=size):
            body = ReceivedBody()
            if refusal is None:
                # Before the place: a sender that sends nothing holds none.
                waiting = partial(self._incoming.place, lane, share)
                body = await receive_body(
                    request, route, seconds=self._body_seconds, waiting=waiting
                )
            shares = [share]
            if lane is Lane.CLIENT_SIGN_INS:
                credentials = request.headers.get("Authorization"), body.raw
                shares.append(client_share(share, credentials))
            with self._admission.place(lane, *shares):
                await admit(self._authenticator, route.access, principal, refusal)
                return await self._answer(route, request, principal, ip, request_id, body)

    def admit_now(self, sender: Sender, *, body_bytes: int) -> Principal | None:
        """Return the principal of a request that is answered at once, and so holds no place.

        Whether the route is for it is not checked yet. `None`: the request must wait, or has no
        place.

        Raises:
            Unauthenticated: the credential is not valid.
        """
        if self.closed:
            return None
        principal = self._authenticator.bearer_now(sender)
        if principal is None:
            return None
        sender.take(principal)
        lane, share = sender.lane, sender.share
        admitted = self._admission.admits(lane, share) and self._body_bytes.admits(
            lane, share, size=body_bytes
        )
        return principal if admitted else None

    async def _answer(
        self,
        route: Route,
        request: web.Request,
        principal: Principal,
        ip: str | None,
        request_id: str,
        received: ReceivedBody,
    ) -> web.StreamResponse:
        actor = actor_of(principal)
        context.actor.set(actor)
        path = _path(route, request)
        account_id = path.get("account_id")
        context.account_id.set(account_id)
        await self._allow(route, principal, account_id, request)
        query = check_strings(
            route.query, request.query.items(), prefix="/query", strictness=route.strictness
        )
        if route.takes is not None and route.media is Media.FORM:
            check_no_field_in_query(route.takes.model_fields, request.query)
        key = read_key(request.headers) if route.idempotent else None
        precondition = None
        if route.represent is not None:
            precondition = read_precondition(request.headers, route.represent)
        info = info_of(request, request_id=request_id, traceparent=context.traceparent.get(), ip=ip)
        caller = Caller(actor=actor, request=info)
        body = received.parse(route)
        call: Call[Any, Any] = Call(
            caller=caller,
            principal=principal,
            path=path,
            body=body,
            raw=received.raw,
            query=query,
            headers=request.headers,
            method=request.method,
            target=request.raw_path,
            route=route,
            request_id=request_id,
            guard=self._guard(route, caller, path, body, key),
            precondition=precondition,
        )
        return response_of(call, await self._handle(route, call))

    async def _handle(self, route: Route, call: Call[Any, Any]) -> BaseModel | Reply | None:
        hook = self._hook(route)
        looked_again = False
        try:
            while True:
                try:
                    if hook is None:
                        return await route.handler(self._ctx, call)
                    return await route.handler(self._ctx, call, await hook.prepare(call))
                except RepeatedRequest:
                    return await self._repeat(route, call, hook)
                except NotFound:
                    if hook is None or looked_again or not await hook.create_missing(call):
                        raise
                    looked_again = True
        except Refusal as refusal:
            if hook is not None:
                await hook.refused(call, refusal)
            raise

    async def _repeat(
        self, route: Route, call: Call[Any, Any], hook: AccountRouteHook | None
    ) -> BaseModel:
        """Answer a repeated request, after the caller was authorized again."""
        if route.gives is None or call.guard is None:
            raise TypeError(f"{route.operation_id} has no answer to repeat")
        if hook is not None:
            await hook.authorize(call)
        return await call.guard.kept_answer(route.gives)

    def _guard(
        self,
        route: Route,
        caller: Caller,
        path: dict[str, str],
        body: BaseModel | None,
        key: str | None,
    ) -> IdempotencyGuard | None:
        if key is None or self._idempotency is None:
            return None
        return self._idempotency.guard(
            caller,
            operation=route.operation_id,
            key=key,
            body=body,
            path="/".join(path.values()),
            account_id=path.get("account_id"),
        )

    async def _allow(
        self, route: Route, principal: Principal, account_id: str | None, request: web.Request
    ) -> None:
        if not isinstance(route.access, Permission) or self._hook(route) is not None:
            return
        if self._checker is None or account_id is None or not isinstance(principal, Member):
            raise TypeError(f"{route.operation_id}: the permission cannot be checked")
        await self._checker.check(
            principal,
            AccountId(account_id),
            route.access.name,
            revision=revision_of(request.headers, route.strictness),
            owner_id=principal.user_id if route.access.own else None,
        )

    def _hook(self, route: Route) -> AccountRouteHook | None:
        return self._account_routes if route.path.startswith(ACCOUNT_PREFIX) else None

    def _check_row(self, route: Route) -> None:
        """Raise `ValueError` if a row contradicts itself."""
        hook = self._hook(route)
        inside = isinstance(route.access, Internal | Admin)
        if inside != route.path.startswith(INTERNAL_PREFIX):
            raise ValueError(
                f"{route.operation_id}: the path prefix {INTERNAL_PREFIX} and the access disagree"
            )
        self._check_permission(route, hook)
        if route.idempotent and (self._idempotency is None or route.gives is None):
            raise ValueError(f"{route.operation_id}: an idempotent row needs keys and an answer")
        if hook is not None and route.idempotent is not (route.repeat_answer is not None):
            raise ValueError(f"{route.operation_id}: `idempotent` and `repeat_answer` go together")
        if shows_tag(route) and not (route.gives and issubclass(route.gives, TaggedAnswer)):
            raise ValueError(f"{route.operation_id}: what it gives has no entity tag")
        if route.media is Media.FORM and route.strictness is not Strictness.LENIENT:
            raise ValueError(f"{route.operation_id}: a form needs lenient input (RFC 6749)")
        if route.errors is not ErrorForm.PROBLEM and route.parameters:
            raise ValueError(f"{route.operation_id}: another form of errors needs a fixed path")

    def _check_permission(self, route: Route, hook: AccountRouteHook | None) -> None:
        if isinstance(route.access, Permission):
            if "account_id" not in route.parameters:
                raise ValueError(f"{route.operation_id}: a permission needs an account in the path")
            if hook is None and self._checker is None:
                raise ValueError(f"{route.operation_id}: no checker decides the permission")
            if hook is None and route.access.in_each_project:
                raise ValueError(f"{route.operation_id}: the checker decides about accounts only")
        elif hook is not None and not isinstance(route.access, Client):
            raise ValueError(
                f"{route.operation_id}: a route of an account needs a permission, or a service"
                " client that is bound to it"
            )
        in_project = hook is not None and decided_in_project(route.access)
        if "project_id" in route.parameters and not in_project:
            raise ValueError(
                f"{route.operation_id}: below a project, `account_routes` must decide a right on"
                " the project. Name it in `Permission`, as `in_project` beside another one"
            )


def _path(route: Route, request: web.Request) -> dict[str, str]:
    path = {name: request.match_info[name] for name in route.parameters}
    for name, value in path.items():
        if not fits_path(name, value):
            raise NotInPath(name)
    return path
