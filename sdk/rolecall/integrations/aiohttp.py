"""Permission checks for the handlers of an aiohttp application."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from functools import partial, wraps

from aiohttp import web
from aiohttp.typedefs import Middleware

from rolecall.aio.requirement import GuardedRequest, Requirement
from rolecall.client.checks import RolecallClient
from rolecall.client.evaluations import CheckDecision, UndecidedError
from rolecall.client.problem import (
    NO_RULE,
    PROBLEM_TYPE,
    UNAUTHENTICATED,
    ProblemAnswer,
    problem_of,
)
from rolecall.client.route_faults import RouteFaults
from rolecall.core.condition_facts import NOTHING_GIVEN, Given
from rolecall.integrations.rules import Rule, read_rule

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SubjectOf = Callable[[web.Request], str | None]
PropertiesOf = Callable[[web.Request], Given]

USER: web.RequestKey[str] = web.RequestKey("rolecall_user", str)
"""The place in a guarded request where its user's id is."""
MAX_CHECKS = 32
"""The most checks of one guard that run at once, each in its own thread."""


class PermissionGuard:
    """Lets a handler run only for a user who has a permission.

    `subject` returns the id of the user whom the application authenticated, or `None`. At most
    `max_checks` checks run at once, in threads of the guard; a further request is answered 503.
    """

    def __init__(
        self, client: RolecallClient, *, subject: SubjectOf, max_checks: int = MAX_CHECKS
    ) -> None:
        self._client = client
        self._subject = subject
        # The application's own executor also resolves names and reads files.
        self._executor = ThreadPoolExecutor(max_checks, thread_name_prefix="rolecall-check")
        self._free = threading.BoundedSemaphore(max_checks)

    def require(
        self,
        permission: str,
        *,
        account: str,
        project: str | None = None,
        resource: str | None = None,
        owner: SubjectOf | None = None,
        session: SubjectOf | None = None,
        at_least_revision: SubjectOf | None = None,
        given: PropertiesOf | None = None,
    ) -> Callable[[Handler], Handler]:
        """Decorate a handler that needs a permission, such as `instance:write`.

        `account`, `project` and `resource` are names of path variables. The others are functions of
        the request: `owner` returns the id of the user who owns the resource, `session` that of the
        user's session, `at_least_revision` the `Rolecall-Revision` that the answer must contain,
        `given` the properties that conditions of grants test.

        Other requests are answered as RFC 9457 says: 401 without a user, 403 without the
        permission, 503 without a decision that another attempt may get. A request that Rolecall
        refuses is answered 403 `check-refused`, and 500 `check-failed` says that it refuses this
        application; both are logged. So is once what no user can have.

        Raises:
            ValueError: the permission does not have the form of one.
        """
        faults = RouteFaults(permission, account=account, project=project, resource=resource)

        def decorate(handler: Handler) -> Handler:
            @wraps(handler)
            async def guarded(request: web.Request) -> web.StreamResponse:
                unfit = faults.unfit(request.match_info)
                if unfit is not None:
                    return _response(unfit)
                subject_id = self._subject(request)
                if subject_id is None:
                    return _response(UNAUTHENTICATED)
                path = request.match_info
                check = partial(
                    self._client.check,
                    subject_id,
                    permission,
                    account_id=path[account],
                    project_id=None if project is None else path[project],
                    resource_id=None if resource is None else path[resource],
                    owner_id=None if owner is None else owner(request),
                    session_id=None if session is None else session(request),
                    at_least_revision=(
                        None if at_least_revision is None else at_least_revision(request)
                    ),
                    given=NOTHING_GIVEN if given is None else given(request),
                )
                try:
                    decision = await self._run(check)
                except UndecidedError as error:
                    return _response(problem_of(error))
                if not decision.allowed:
                    return _response(faults.denied(decision.reason))
                return await handler(request)

            return guarded

        return decorate

    async def _run(self, check: Callable[[], CheckDecision]) -> CheckDecision:
        if not self._free.acquire(blocking=False):
            raise UndecidedError("Too many checks run at once.", temporary=True)
        running = self._executor.submit(check)
        # A request that is cancelled leaves its check running, which still has its thread.
        running.add_done_callback(lambda _: self._free.release())
        return await asyncio.wrap_future(running)


def guarded(requirement: Requirement) -> Callable[[Handler], Handler]:
    """Decorate a handler with what `Rolecall.require` made.

    A request that is not allowed is answered as `Requirement.admit` says. The handler finds the id
    of its user at `request[USER]`.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        async def guard(request: web.Request) -> web.StreamResponse:
            seen = GuardedRequest(request.headers, request.match_info, request)
            admitted = await requirement.admit(seen)
            if isinstance(admitted, ProblemAnswer):
                return _response(admitted)
            request[USER] = admitted.user_id
            return await handler(request)

        return guard

    return decorate


def connected(
    rc: AbstractAsyncContextManager[object],
) -> Callable[[web.Application], AsyncIterator[None]]:
    """Open `rc` when the application starts and close it when it stops.

    Use it as `app.cleanup_ctx.append(connected(rc))`.
    """

    async def context(_: web.Application) -> AsyncIterator[None]:
        async with rc:
            yield

    return context


def permission_middleware(rules: Mapping[str, Rule]) -> Middleware:
    """Make a middleware that lets requests reach the application only as the rules allow.

    A rule is `"GET /accounts/{account_id}/instances": rc.require(...)`, with the path as it was
    added to the router. `None` leaves a route open. A route without a rule is answered 403, so a
    new one is closed until it has its rule. A HEAD request needs what GET needs.

    Raises:
        ValueError: a rule has another form, or its path lacks a parameter that it names.
    """
    for route, requirement in rules.items():
        read_rule(route, requirement)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is None:
            return await handler(request)  # the router's own 404 or 405
        method = "GET" if request.method == "HEAD" else request.method
        rule = f"{method} {resource.canonical}"
        if rule not in rules:
            return _response(NO_RULE)
        requirement = rules[rule]
        if requirement is None:
            return await handler(request)
        return await guarded(requirement)(handler)(request)

    return middleware


def _response(problem: ProblemAnswer) -> web.Response:
    return web.Response(
        body=problem.body(),
        status=problem.status,
        headers=problem.headers,
        content_type=PROBLEM_TYPE,
    )
