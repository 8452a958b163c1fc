"""What happens around every route of an account, whatever the route does?"""

from functools import wraps
from typing import Any

from pydantic import BaseModel

from services.team.domain.refusals import refused
from services.team.use_cases.accounts import arrive
from services.team.use_cases.context import Act, Ctx
from services.team.use_cases.desk import with_name
from shared.contracts.facts import ResourceRef
from shared.http.routes import Call, Handler, Reply
from shared.problems import NotFound, Refusal, RefusalKind


def act_of(call: Call[Any, Any]) -> Act:
    """The request as the use cases take it."""
    return Act(
        caller=call.caller,
        user_id=call.user.user_id,
        account_id=call.account_id,
        permission=call.permission,
        effective_everywhere=call.route.effective_everywhere,
    )


def gated(handler: Handler) -> Handler:
    """Let a verified user's first request find the personal account, and record what is forbidden.

    That is told only of members: everybody else is answered that there is nothing.
    """

    @wraps(handler)
    async def gate(ctx: Ctx, call: Call[Any, Any]) -> BaseModel | Reply | None:
        try:
            try:
                return await handler(ctx, call)
            except NotFound:
                if not await _arrived(ctx, call):
                    raise
            return await handler(ctx, call)
        except Refusal as refusal:
            if refusal.kind is RefusalKind.DENIED or refusal.forbids:
                await _record(ctx, call, refusal)
            raise

    return gate


async def _arrived(ctx: Ctx, call: Call[Any, Any]) -> bool:
    """Whether the account of the path may be the caller's personal one and is there by now.

    The token's account is only a hint for whom to ask about; identity says whose it is.
    """
    if call.user.account_id != call.account_id:
        return False
    return await arrive(
        ctx, user_id=call.user.user_id, account_id=call.account_id, caller=call.caller
    )


async def _record(ctx: Ctx, call: Call[Any, Any], refusal: Refusal) -> None:
    fact = refused(
        refusal,
        operation=call.route.operation_id,
        resource=_resource(call),
        account_id=call.account_id,
        permission=call.permission,
        project_id=call.path.get("project_id"),
    )
    caller = await with_name(ctx, call.caller, call.account_id)
    await ctx.journal.refused(call.account_id, fact, caller=caller)


def _resource(call: Call[Any, Any]) -> ResourceRef:
    """The innermost thing that the path names, with type and id as in the facts of success."""
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
