"""Permission checks for the handlers of an aiohttp application."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

from aiohttp import web

from rolecall.client.checks import RolecallClient, UndecidedError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SubjectOf = Callable[[web.Request], str | None]

_TITLES = {401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable"}


class PermissionGuard:
    """Lets a handler run only for a user who has a permission.

    `subject` returns the id of the user whom the application authenticated, or `None`.
    """

    def __init__(self, client: RolecallClient, *, subject: SubjectOf) -> None:
        self._client = client
        self._subject = subject

    def require(
        self,
        permission: str,
        *,
        account: str,
        project: str | None = None,
        resource: str | None = None,
        owner: SubjectOf | None = None,
    ) -> Callable[[Handler], Handler]:
        """Decorate a handler that needs a permission, such as `instance:write`.

        `account`, `project` and `resource` are names of path variables. `owner` returns the id of
        the user who owns the resource. Other requests are answered as RFC 9457 says: 401 without a
        user, 403 without the permission, 503 without a decision.
        """

        def decorate(handler: Handler) -> Handler:
            @wraps(handler)
            async def guarded(request: web.Request) -> web.StreamResponse:
                subject_id = self._subject(request)
                if subject_id is None:
                    return _problem(401, "unauthenticated", "Sign in to use this resource.")
                path = request.match_info
                try:
                    decision = await asyncio.to_thread(
                        self._client.check,
                        subject_id,
                        permission,
                        account_id=path[account],
                        project_id=None if project is None else path[project],
                        resource_id=None if resource is None else path[resource],
                        owner_id=None if owner is None else owner(request),
                    )
                except UndecidedError:
                    return _problem(
                        503,
                        "undecided",
                        "The permission cannot be checked now. Try again.",
                        headers={"Retry-After": "1"},
                    )
                if not decision.allowed:
                    detail = f"You need the permission `{permission}`."
                    return _problem(403, "permission-missing", detail)
                return await handler(request)

            return guarded

        return decorate


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
