"""The steps from a request that matches a row to its answer."""

import re
from collections.abc import Sequence
from typing import Any, Protocol

from aiohttp import web
from pydantic import BaseModel

from shared import context
from shared.auth import Authenticator, BadToken
from shared.auth.principals import (
    Anonymous,
    ClientPrincipal,
    Principal,
    UserPrincipal,
    actor_of,
)
from shared.contracts.facts import Caller
from shared.http.access import (
    Admin,
    Client,
    Internal,
    Permission,
    Public,
    Session,
    SessionOrClient,
)
from shared.http.bodies import BODY_SECONDS, read_body
from shared.http.checker import Checker
from shared.http.idempotency import Idempotency, IdempotencyGuard, RepeatedRequest
from shared.http.refusals import WrongPrincipal
from shared.http.requests import Network, info_of
from shared.http.routes import (
    REVISION_HEADER,
    Call,
    Media,
    Reply,
    Route,
    Strictness,
    refuse,
    revision_of,
)
from shared.http.strict_json import loads
from shared.http.validation import check_json, check_strings, read_form
from shared.ids import AccountId, fits_path
from shared.problems import (
    NotFound,
    Refusal,
    ScopeMissing,
    Unauthenticated,
    Unavailable,
)

INTERNAL_PREFIX = "/internal/"
ACCOUNT_PREFIX = "/v1/accounts/{account_id}"

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class AccountRouteHook(Protocol):
    """What a service adds to all of its routes below `/v1/accounts/{account_id}`."""

    async def authorize(self, call: Call[Any, Any]) -> None:
        """Check the caller's permission again, before a kept answer is repeated.

        Raises:
            NotFound, PermissionMissing: the caller may not see the answer any more.
        """

    async def exists_by_now(self, call: Call[Any, Any]) -> bool:
        """Whether a handler that found nothing shall look once more."""

    async def refused(self, call: Call[Any, Any], refusal: Refusal) -> None:
        """Take note of a refusal before it is answered."""


class Api:
    """The routes of one service, ready to be mounted.

    `ctx` is handed to every handler. Rows with a `Permission` that is decided before the handler
    need `checker`; rows that are `idempotent` need `idempotency`. `account_routes` is applied to
    every row below `/v1/accounts/{account_id}`. While `closed` is set, every request is answered
    with 503.
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
        for route in self.routes:
            self._check_row(route)

    async def answer(
        self, route: Route, request: web.Request, *, request_id: str, proxies: Sequence[Network]
    ) -> web.Response:
        """Answer one request.

        Raises:
            Refusal: the request is refused.
        """
        if self.closed:
            raise Unavailable
        principal = await self._principal(route, request)
        actor = actor_of(principal)
        context.actor.set(actor)
        path = _path(route, request)
        account_id = path.get("account_id")
        context.account_id.set(account_id)
        await self._allow(route, principal, account_id, request)
        query = check_strings(
            route.query, request.query.items(), prefix="/query", strictness=route.strictness
        )
        key = _idempotency_key(route, request)
        info = info_of(
            request,
            request_id=request_id,
            traceparent=context.traceparent.get(),
            proxies=proxies,
        )
        caller = Caller(actor=actor, request=info)
        body = await self._body(route, request)
        call: Call[Any, Any] = Call(
            caller=caller,
            principal=principal,
            path=path,
            body=body,
            query=query,
            headers=request.headers,
            route=route,
            request_id=request_id,
            guard=self._guard(route, caller, path, body, key),
        )
        return _response(route, path, await self._handle(route, call))

    async def _handle(self, route: Route, call: Call[Any, Any]) -> BaseModel | Reply | None:
        hook = self._account_routes if route.path.startswith(ACCOUNT_PREFIX) else None
        looked_again = False
        try:
            while True:
                try:
                    return await route.handler(self._ctx, call)
                except RepeatedRequest:
                    return await self._repeat(route, call, hook)
                except NotFound:
                    if hook is None or looked_again or not await hook.exists_by_now(call):
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
        return route.gives.model_validate(await call.guard.kept_answer())

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
        )

    async def _principal(self, route: Route, request: web.Request) -> Principal:
        access = route.access
        match access:
            case Public():
                return Anonymous()
            case Admin():
                return self._authenticator.admin(_authorization(request))
            case Internal():
                service = self._authenticator.service(_authorization(request))
                if service.service not in access.callers:
                    raise WrongPrincipal(access)
                return service
            case _:
                principal = await self._authenticator.bearer(_authorization(request))
                _admit(access, principal)
                return principal

    async def _allow(
        self, route: Route, principal: Principal, account_id: str | None, request: web.Request
    ) -> None:
        if not isinstance(route.access, Permission) or route.access.decided_in_use_case:
            return
        if self._checker is None or account_id is None or not isinstance(principal, UserPrincipal):
            raise TypeError(f"{route.operation_id}: the permission cannot be checked")
        await self._checker.check(
            principal,
            AccountId(account_id),
            route.access.name,
            revision=revision_of(request.headers, route.strictness),
        )

    async def _body(self, route: Route, request: web.Request) -> BaseModel | None:
        if route.takes is None:
            return None
        raw = await read_body(request, route, seconds=self._body_seconds)
        if route.media is Media.FORM:
            return check_strings(
                route.takes, read_form(raw), prefix="", strictness=route.strictness
            )
        return check_json(route.takes, raw, value=loads(raw), strictness=route.strictness)

    def _check_row(self, route: Route) -> None:
        """Stop the start when a row contradicts itself."""
        inside = isinstance(route.access, Internal | Admin)
        if inside != route.path.startswith(INTERNAL_PREFIX):
            raise ValueError(
                f"{route.operation_id}: the path prefix {INTERNAL_PREFIX} and the access disagree"
            )
        if isinstance(route.access, Permission):
            if "account_id" not in route.parameters:
                raise ValueError(f"{route.operation_id}: a permission needs an account in the path")
            if not route.access.decided_in_use_case and self._checker is None:
                raise ValueError(f"{route.operation_id}: no checker decides the permission")
        if route.idempotent and (self._idempotency is None or route.gives is None):
            raise ValueError(f"{route.operation_id}: an idempotent row needs keys and an answer")
        if route.media is Media.FORM and route.strictness is not Strictness.LENIENT:
            raise ValueError(f"{route.operation_id}: a form needs lenient input (RFC 6749)")


def _authorization(request: web.Request) -> str | None:
    headers = request.headers.getall("Authorization", [])
    if len(headers) > 1:
        # A proxy in between may have checked another one than this service would.
        raise Unauthenticated from BadToken("more than one credential")
    return headers[0] if headers else None


def _admit(
    access: Session | Permission | Client | SessionOrClient,
    principal: UserPrincipal | ClientPrincipal,
) -> None:
    if isinstance(principal, UserPrincipal):
        if isinstance(access, Client):
            raise WrongPrincipal(access)
    elif not isinstance(access, Client | SessionOrClient):
        raise WrongPrincipal(access)
    elif access.scope not in principal.scopes:
        raise ScopeMissing(access.scope)


def _path(route: Route, request: web.Request) -> dict[str, str]:
    path = dict(request.match_info)
    for name, value in path.items():
        if not fits_path(name, value):
            raise NotFound
    return path


def _idempotency_key(route: Route, request: web.Request) -> str | None:
    keys = request.headers.getall("Idempotency-Key", []) if route.idempotent else []
    if not keys:
        return None
    if len(keys) > 1 or _IDEMPOTENCY_KEY.fullmatch(keys[0]) is None:
        message = "Send one value of 1 to 255 visible ASCII characters."
        raise refuse([("/headers/Idempotency-Key", message)], route.strictness)
    return keys[0]


def _response(route: Route, path: dict[str, str], result: BaseModel | Reply | None) -> web.Response:
    reply = result if isinstance(result, Reply) else Reply(body=result)
    headers = dict(reply.headers)
    status = reply.status
    written = reply.written
    if written is not None and written.revision is not None:
        headers[REVISION_HEADER] = written.revision
        if not written.effective:
            status = 202
            if "account_id" in path:
                account = f"/v1/accounts/{path['account_id']}"
                headers.setdefault("Location", f"{account}/revisions/{written.revision}")
    if reply.body is None:
        return web.Response(status=status or 204, headers=headers)
    if isinstance(reply.body, bytes):
        headers["Content-Type"] = reply.content_type
        return web.Response(body=reply.body, status=status or route.status, headers=headers)
    if route.gives is None or not isinstance(reply.body, route.gives):
        raise TypeError(f"{route.operation_id} answered with another class than its row names")
    headers["Content-Type"] = reply.content_type
    content = reply.body.model_dump_json(by_alias=True).encode()
    return web.Response(body=content, status=status or route.status, headers=headers)
