"""What `Api` applies to every route of team below `/v1/accounts/{account_id}`."""

from dataclasses import replace
from typing import Any

from services.team.domain.account_access import AccountAccess, ClientAccess
from services.team.use_cases.accounts import ensure_personal_account
from services.team.use_cases.context import AccountRequest, ClientRequest, Ctx
from services.team.use_cases.refusals import record_refusal
from shared.auth.bindings import AccountNotBound, require_account
from shared.auth.principals import ApiTokenPrincipal, ClientPrincipal, UserPrincipal
from shared.contracts.facts import ResourceRef
from shared.http.access import Permission
from shared.http.preconditions import read_previewed
from shared.http.routes import Call
from shared.ids import ProjectId, UserId
from shared.problems import Refusal, RefusalKind

MEMBER_PERMISSION = "account:view"
"""Every role holds it, so a user without it is not a member."""


class AccountRoutes:
    """Authorizes requests, lets a new user's first request find the account, records refusals.

    The handler of a GET gets the `AccountAccess` as its third argument. Every other handler gets
    the `AccountRequest`, which `Ctx.change` authorizes inside the transaction. If a service client
    calls, they get its `ClientAccess` or `ClientRequest` instead.
    """

    def __init__(self, ctx: Ctx) -> None:
        self._ctx = ctx

    async def prepare(
        self, call: Call[Any, Any]
    ) -> AccountAccess | AccountRequest | ClientAccess | ClientRequest:
        """Authorize a read; build the request of a write.

        Raises:
            AccountNotBound: the service client that calls is bound to other accounts.
        """
        if isinstance(call.principal, ClientPrincipal):
            if call.route.method == "GET":
                return await self._ctx.authorize_client(call.principal, call.account_id)
            require_account(call.principal.account_ids, call.account_id)
            return _client_request(call, call.principal)
        return await self.authorize(call) if call.route.method == "GET" else account_request(call)

    async def authorize(self, call: Call[Any, Any]) -> AccountAccess:
        """Check the caller's permission; where it is decided in each project, membership alone."""
        request = account_request(call)
        access = call.route.access
        if isinstance(access, Permission) and access.in_each_project:
            request = replace(request, permission=MEMBER_PERMISSION)
        return await self._ctx.authorize(request)

    async def create_missing(self, call: Call[Any, Any]) -> bool:
        """Create the caller's personal account if the path names it; return whether it exists.

        The token's account only says whether to ask; identity says to whom the account belongs.
        """
        caller = call.principal
        if not isinstance(caller, UserPrincipal) or caller.account_id != call.account_id:
            return False
        return await ensure_personal_account(
            self._ctx,
            user_id=caller.user_id,
            account_id=call.account_id,
            caller=call.caller,
        )

    async def refused(self, call: Call[Any, Any], refusal: Refusal) -> None:
        """Record a refusal that forbids.

        Only members get one, and service clients that are bound to the account: others are answered
        404 or 403, whether or not the account exists, and write into no log. What is refused in a
        preview was not tried.
        """
        if call.route.only_previews:
            return
        if refusal.kind is not RefusalKind.DENIED and not refusal.forbids:
            return
        if isinstance(refusal, AccountNotBound):
            return
        client = call.principal if isinstance(call.principal, ClientPrincipal) else None
        await record_refusal(
            self._ctx,
            account_request(call) if client is None else _client_request(call, client),
            refusal,
            operation=call.route.operation_id,
            resource=_resource(call),
        )


def account_request(call: Call[Any, Any]) -> AccountRequest:
    """The request of the caller about the account of the path, as the route's row has it."""
    project_id, named = call.path.get("project_id"), call.path.get("user_id")
    member = call.member
    return AccountRequest(
        caller=call.caller,
        user_id=member.user_id,
        token=member if isinstance(member, ApiTokenPrincipal) else None,
        account_id=call.account_id,
        permission=call.permission,
        project_permission=call.project_permission,
        project_id=None if project_id is None else ProjectId(project_id),
        named_user_id=None if named is None else UserId(named),
        guard=call.guard,
        repeat_answer=call.route.repeat_answer,
        precondition=call.precondition,
        previewed=read_previewed(call.headers) if call.route.has_preview else None,
    )


def _client_request(call: Call[Any, Any], client: ClientPrincipal) -> ClientRequest:
    return ClientRequest(
        caller=call.caller,
        account_id=call.account_id,
        client=client,
        precondition=call.precondition,
    )


_TYPES = {
    "user_id": "member",
    "invitation_id": "invitation",
    "guardrail_id": "guardrail",
    "role_id": "role",
    "project_id": "project",
    "account_id": "account",
}
"""The type of what a path parameter names, the innermost first."""


def _resource(call: Call[Any, Any]) -> ResourceRef:
    """The innermost resource of the path, with type and id as in the facts of success."""
    match call.path:
        case {"project_id": project_id, "user_id": user_id}:
            return ResourceRef(type="override", id=f"{project_id}/{user_id}")
        case {"type": resource_type, "rid": rid}:
            return ResourceRef(type=resource_type, id=rid)
    name = next(name for name in _TYPES if name in call.path)
    return ResourceRef(type=_TYPES[name], id=call.path[name])
