"""Answer which members may do something, for a service client or one who may see the members."""

from dataclasses import dataclass, replace

from rolecall import (
    AccountState,
    Given,
    Holders,
    Reason,
    Resource,
    milliseconds,
    role_title,
    who_can,
)
from rolecall.core.decide import located
from rolecall.core.problems import nearest_to
from services.authz.domain.checks import (
    CHECK_SCOPE,
    SHOWS_MEMBERSHIP,
    PermissionCheck,
    account_for_client,
    decide_for_user,
)
from services.authz.domain.explaining import SEE_MEMBERS
from services.authz.domain.named_checks import require_owner
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer, is_member
from shared.auth.account_refusals import SHUT_OUT
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.problems import Invalid, NotFound, PermissionMissing, ScopeMissing, Stale, TokenRevoked


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
        Invalid: the account has no such permission, project or owner, registered the resource
            otherwise, or is not named by a client that is not bound to a single one.
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
    resource = _with_owner(ctx, account, request.resource)
    _require_known(account, request.permission, resource)
    holders = who_can(
        account,
        request.permission,
        resource,
        now=milliseconds(ctx.clock.now()),
        given=_given(account, resource),
        limit=request.limit,
        after=request.after,
        disabled=ctx.sign_ins.disabled_users,
        with_factor=ctx.sign_ins.second_factor_users,
    )
    return WhoCanResult(
        account_id=account.id,
        holders=holders,
        titles={one.role: role_title(account, one.role) for one in holders.members},
        revision=ctx.revision(account.id),
    )


def _with_owner(ctx: Ctx, account: AccountState, resource: Resource) -> Resource:
    """The resource with the user id of its owner, who may be named by an external id.

    Raises:
        Invalid: the text names no user.
    """
    if resource.owner_id is None:
        return resource
    ids = ctx.policy.external_ids
    owner_id = ids.user(account.id, resource.owner_id)
    require_owner(owner_id, shared=ids.shared(account.id, owner_id), pointer="/owner_id")
    return replace(resource, owner_id=owner_id)


def _require_known(account: AccountState, permission: str, resource: Resource) -> None:
    """Refuse names that the account does not know: their empty list would say that no member may.

    Raises:
        Invalid: the permission or the project is unknown, or the resource is registered otherwise.
    """
    known = account.catalog.permissions
    held = known.get(permission)
    if held is None:
        nearest = nearest_to(permission, known)
        hint = "" if nearest is None else f" Did you mean {nearest}?"
        message = f"The account's catalog has no such permission.{hint}"
        raise Invalid(errors=[("/permission", message)])
    place = located(account, held, resource)
    if place is None:
        raise Invalid(errors=[("/resource_id", _REGISTERED_OTHERWISE)])
    if place.project_id is not None and place.project_id not in account.projects:
        pointer = "/resource_id" if resource.project_id is None else "/project_id"
        raise Invalid(errors=[(pointer, _NO_PROJECT)])


_REGISTERED_OTHERWISE = (
    "The resource has another owner or project. Leave `owner_id` and `project_id` out."
)
_NO_PROJECT = "The account has no such project. Name one of its projects by the id."


def _given(account: AccountState, resource: Resource) -> Given:
    """The properties that an evaluation of the same question would send."""
    sent = {
        "account_id": account.id,
        "project_id": resource.project_id,
        "owner_id": resource.owner_id,
    }
    return Given(resource={name: value for name, value in sent.items() if value is not None})


def _account(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: WhoCanRequest
) -> AccountState:
    """The account, if the caller may see its members."""
    if isinstance(principal, ClientPrincipal):
        account_id = _account_of_client(ctx, principal, request)
        if account_id is None:
            raise Invalid(errors=[("/account_id", _UNNAMED)])
    else:
        account_id = _account_of_user(ctx, principal, request)
    if account_id is not None and ctx.policy.incomplete(account_id):
        raise Stale
    account = None if account_id is None else ctx.policy.account(account_id)
    if account is None:
        raise NotFound
    return account


_UNNAMED = "Name the account: this client is not bound to a single one."


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
    if decision.reason in SHUT_OUT:
        raise SHUT_OUT[decision.reason]
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
