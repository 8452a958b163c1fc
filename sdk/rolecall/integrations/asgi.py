"""Permission checks for ASGI applications, such as those of FastAPI and Starlette.

It needs no package besides the SDK: everything here speaks ASGI itself.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import wraps
from typing import Any

from rolecall.aio.requirement import GuardedRequest, GuardedUser, Requirement
from rolecall.client.problem import NO_RULE, PROBLEM_TYPE, ProblemAnswer
from rolecall.integrations.rules import Rule, read_rule

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Endpoint = Callable[..., Awaitable[Any]]

USER = "rolecall_user"
"""The place in the scope of a guarded request where its user's id is."""


class PermissionMiddleware:
    """Lets requests reach an application only as its rules allow.

    A rule is `"GET /accounts/{account_id}/instances": rc.require(...)`. `None` in place of a
    requirement leaves a route open. A request that no rule names is answered 403: a new route is
    closed until it has its rule. A HEAD request needs what GET needs.
    """

    def __init__(self, app: App, rules: Mapping[str, Rule]) -> None:
        """Make it.

        Raises:
            ValueError: a rule has another form, or its path lacks a parameter that it names.
        """
        self._app = app
        self._rules = [_compiled(route, rule) for route, rule in rules.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on; the events of the server's life are handed on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await ProblemResponse(refusal)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _refusal(self, scope: Scope) -> ProblemAnswer | None:
        method = scope.get("method", "GET")  # a websocket begins with a GET
        method = "GET" if method == "HEAD" else method
        for rule_method, pattern, requirement in self._rules:
            found = pattern.fullmatch(scope["path"])
            if rule_method == method and found is not None:
                if requirement is None:
                    return None
                request = GuardedRequest(_headers(scope), found.groupdict(), scope)
                return _noted(scope, await requirement.admit(request))
        return NO_RULE


class ProblemResponse:
    """A problem as an ASGI application, which Starlette takes for a response."""

    def __init__(self, problem: ProblemAnswer) -> None:
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the problem document."""
        body = self._problem.body()
        headers = {
            "Content-Type": PROBLEM_TYPE,
            "Content-Length": str(len(body)),
            **self._problem.headers,
        }
        await send(
            {
                "type": "http.response.start",
                "status": self._problem.status,
                "headers": [(n.lower().encode(), v.encode()) for n, v in headers.items()],
            }
        )
        sent = b"" if scope.get("method") == "HEAD" else body
        await send({"type": "http.response.body", "body": sent})


def guarded(requirement: Requirement) -> Callable[[Endpoint], Endpoint]:
    """Decorate an endpoint of Starlette, `async def endpoint(request)`.

    For FastAPI use `PermissionMiddleware`: it sends what an endpoint returns as JSON.
    """

    def decorate(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def guard(request: Any) -> Any:
            seen = GuardedRequest(request.headers, request.path_params, request)
            refusal = _noted(request.scope, await requirement.admit(seen))
            return await endpoint(request) if refusal is None else ProblemResponse(refusal)

        return guard

    return decorate


def _noted(scope: Scope, admitted: GuardedUser | ProblemAnswer) -> ProblemAnswer | None:
    """Write the user into the scope, or return the refusal."""
    if isinstance(admitted, ProblemAnswer):
        return admitted
    scope[USER] = admitted.user_id
    return None


class _Headers(dict[str, str]):
    """Headers of an ASGI scope, whose names are in lower case there."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def _headers(scope: Scope) -> _Headers:
    found = _Headers()
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        # A header that is sent twice counts as one that nothing can read.
        found[key] = "" if key in found else value.decode("latin-1")
    return found


def _compiled(route: str, rule: Rule) -> tuple[str, re.Pattern[str], Rule]:
    method, parts = read_rule(route, rule)
    pattern = "".join(
        f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)
    )
    return method, re.compile(pattern), rule
