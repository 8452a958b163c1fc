"""What `Api` applies to every route of team below `/v1/accounts/{account_id}`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from services.team.use_cases.accounts import ensure_personal_account
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.refusals import record_refusal
from shared.contracts.facts import ResourceRef
from shared.http.routes import Call
from shared.ids import ProjectId
from shared.problems import Refusal, RefusalKind


def request_of(
    call: Call[Any, Any], *, repeat: Callable[[Any], BaseModel] | None = None
) -> AccountRequest:
    """The request as the use cases take it.

    `repeat` makes the answer that a repeated request gets, of the use case's result. Every row that
    is `idempotent` needs it.
    """
    if call.route.idempotent is not (repeat is not None):
        raise TypeError(f"{call.route.operation_id}: an idempotent row and `repeat` go together")
    return replace(_request(call), guard=call.guard, repeat_answer=repeat)


class AccountRoutes:
    """Authorizes repeats, lets a new user's first request find the account, records refusals."""

    def __init__(self, ctx: Ctx) -> None:
        self._ctx = ctx

    async def authorize(self, call: Call[Any, Any]) -> None:
        """Check the caller's permission again, before a kept answer is repeated."""
        await self._ctx.authorize(_request(call))

    async def exists_by_now(self, call: Call[Any, Any]) -> bool:
        """Whether the path names the caller's personal account, and it exists by now.

        The token's account only says whether to ask; identity says to whom the account belongs.
        """
        if call.user.account_id != call.account_id:
            return False
        return await ensure_personal_account(
            self._ctx,
            user_id=call.user.user_id,
            account_id=call.account_id,
            caller=call.caller,
        )

    async def refused(self, call: Call[Any, Any], refusal: Refusal) -> None:
        """Record a refusal that forbids. Only members get one: others are answered 404."""
        if refusal.kind is not RefusalKind.DENIED and not refusal.forbids:
            return
        await record_refusal(
            self._ctx,
            _request(call),
            refusal,
            operation=call.route.operation_id,
            resource=_resource(call),
        )


def _request(call: Call[Any, Any]) -> AccountRequest:
    project_id = call.path.get("project_id")
    return AccountRequest(
        caller=call.caller,
        user_id=call.user.user_id,
        account_id=call.account_id,
        permission=call.permission,
        project_permission=call.project_permission,
        project_id=None if project_id is None else ProjectId(project_id),
    )


def _resource(call: Call[Any, Any]) -> ResourceRef:
    """The innermost resource of the path, with type and id as in the facts of success."""
    match call.path:
        case {"project_id": project_id, "user_id": user_id}:
            return ResourceRef(type="override", id=f"{project_id}/{user_id}")
        case {"user_id": user_id}:
            return ResourceRef(type="member", id=user_id)
        case {"invitation_id": invitation_id}:
            return ResourceRef(type="invitation", id=invitation_id)
        case {"project_id": project_id}:
            return ResourceRef(type="project", id=project_id)
        case _:
            return ResourceRef(type="account", id=call.account_id)
