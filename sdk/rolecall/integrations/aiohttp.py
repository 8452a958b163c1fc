"""Permission checks for the handlers of an aiohttp application."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps

from aiohttp import web

from rolecall.client.checks import CheckDecision, RolecallClient, UndecidedError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SubjectOf = Callable[[web.Request], str | None]

MAX_CHECKS = 32
"""The most checks of one guard that run at once, each in its own thread."""

_TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_log = logging.getLogger(__name__)


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
    ) -> Callable[[Handler], Handler]:
        """Decorate a handler that needs a permission, such as `instance:write`.

        `account`, `project` and `resource` are names of path variables. The others are functions of
        the request: `owner` returns the id of the user who owns the resource, `session` that of the
        user's session, `at_least_revision` the `Rolecall-Revision` that the answer must contain.

        Other requests are answered as RFC 9457 says: 401 without a user, 403 without the
        permission, 503 without a decision that another attempt may get. A request that Rolecall
        refuses is answered 403 `check-refused`, and 500 `check-failed` says that it refuses this
        application; both are logged.
        """

        def decorate(handler: Handler) -> Handler:
            @wraps(handler)
            async def guarded(request: web.Request) -> web.StreamResponse:
                subject_id = self._subject(request)
                if subject_id is None:
                    return _problem(401, "unauthenticated", "Sign in to use this resource.")
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
                )
                try:
                    decision = await self._run(check)
                except UndecidedError as error:
                    return _undecided(error)
                if not decision.allowed:
                    detail = f"You need the permission `{permission}`."
                    return _problem(403, "permission-missing", detail)
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


def _undecided(error: UndecidedError) -> web.Response:
    if error.temporary:
        return _problem(
            503,
            "undecided",
            "The permission cannot be checked now. Try again.",
            headers={"Retry-After": "1"},
        )
    _log.error("a permission check was refused: %s", error)
    if error.request_refused:
        return _problem(403, "check-refused", "The permission cannot be checked for this request.")
    return _problem(500, "check-failed", "This service cannot check permissions.")


def _problem(
    status: int, code: str, detail: str, *, headers: dict[str, str] | None = None
) -> web.Response:
    return web.json_response(
        {
            "type": f"urn:rolecall:problem:{code}",
            "title": _TITLES[status],
            "status": status,
            "code": code,
            "detail": detail,
        },
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )
