"""Answer which members may do something, for a service client or one who may see the members."""

from dataclasses import dataclass

from rolecall import (
    AccountState,
    Holders,
    Reason,
    Resource,
    milliseconds,
    role_title,
    who_can,
)
from rolecall.core.problems import nearest_to
from services.authz.domain.checks import (
    CHECK_SCOPE,
    SHOWS_MEMBERSHIP,
    PermissionCheck,
    account_for_client,
    decide_for_user,
)
from services.authz.domain.explaining import SEE_MEMBERS
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer, is_member
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.problems import (
    ACCOUNT_CLOSED,
    Invalid,
    NotFound,
    PermissionMissing,
    ScopeMissing,
    Stale,
    TokenRevoked,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoCanRequest:
    """What is asked about, and the page; `account_id` and `revision` are optional."""

    account_id: str | None
    permission: str
    resource: Resource
    revision: str | None
    limit: int
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoCanResult:
    """A page of members, the account and the revision that the page rests on."""

    account_id: str
    holders: Holders
    titles: dict[str, str]
    revision: str | None


async def find(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: WhoCanRequest
) -> WhoCanResult:
    """Find the members who may do it.

    Raises:
        Stale: this replica may not answer now.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing, AccountNotBound, TypeNotBound: the client may not ask this.
        NotFound: there is no such account, or the caller is not a member.
        PermissionMissing: the caller may not see the members.
        SuspendedAccount, DeletingAccount: no member may do anything there now.
        Invalid: the account's catalog has no such permission.
    """
    if isinstance(principal, UserPrincipal):
        own = _seeing(principal, request)
        await ctx.reach(request.revision, own, may_learn=lambda: is_member(ctx, own))
    else:
        account_id = ctx.while_fresh(lambda: _account_of_client(ctx, principal, request))
        check = PermissionCheck(user_id="", account_id=account_id, permission=request.permission)
        await ctx.reach(request.revision, check, may_learn=lambda: True)
    return ctx.while_fresh(lambda: _find(ctx, principal, request))


def _find(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: WhoCanRequest
) -> WhoCanResult:
    account = _account(ctx, principal, request)
    known = account.catalog.permissions
    if request.permission not in known:
        nearest = nearest_to(request.permission, known)
        hint = "" if nearest is None else f" Did you mean {nearest}?"
        message = f"The account's catalog has no such permission.{hint}"
        raise Invalid(errors=[("/permission", message)])
    holders = who_can(
        account,
        request.permission,
        request.resource,
        now=milliseconds(ctx.clock.now()),
        limit=request.limit,
        after=request.after,
    )
    return WhoCanResult(
        account_id=account.id,
        holders=holders,
        titles={one.role: role_title(account, one.role) for one in holders.members},
        revision=ctx.revision(account.id),
    )


def _account(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: WhoCanRequest
) -> AccountState:
    """The account, if the caller may see its members."""
    if isinstance(principal, ClientPrincipal):
        account_id = _account_of_client(ctx, principal, request)
    else:
        account_id = _account_of_user(ctx, principal, request)
    if account_id is not None and ctx.policy.incomplete(account_id):
        raise Stale
    account = None if account_id is None else ctx.policy.account(account_id)
    if account is None:
        raise NotFound
    return account


def _account_of_client(ctx: Ctx, principal: ClientPrincipal, request: WhoCanRequest) -> str | None:
    client = ctx.sign_ins.client(principal.client_id)
    if client is None:
        raise TokenRevoked
    if CHECK_SCOPE not in client.scopes:
        raise ScopeMissing(CHECK_SCOPE)
    kind = request.permission.partition(":")[0]
    return account_for_client(client, named=request.account_id, resource_type=kind)


def _account_of_user(ctx: Ctx, principal: UserPrincipal, request: WhoCanRequest) -> str | None:
    seeing = _seeing(principal, request)
    decision = answer(ctx, seeing, decide_for_user)
    if decision.reason is Reason.SESSION_ENDED:
        raise TokenRevoked
    if decision.reason not in SHOWS_MEMBERSHIP:
        raise NotFound
    if decision.reason in ACCOUNT_CLOSED:
        raise ACCOUNT_CLOSED[decision.reason]
    if not decision.allowed:
        raise PermissionMissing(SEE_MEMBERS)
    return seeing.account_id


def _seeing(principal: UserPrincipal, request: WhoCanRequest) -> PermissionCheck:
    return PermissionCheck(
        user_id=principal.user_id,
        session_id=principal.session_id,
        account_id=request.account_id or principal.account_id,
        permission=SEE_MEMBERS,
    )
