"""The route that lists who may do something."""

from pydantic import Field

from rolecall import Resource
from rolecall.core.state import NO_RESOURCE_ID
from rolecall.core.table import PermissionName
from services.authz.domain.checks import CHECK_SCOPE
from services.authz.domain.explaining import SEE_MEMBERS
from services.authz.use_cases import who_can as use_case
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.who_can import WhoCanRequest
from shared.auth.account_refusals import SHUT_OUT
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.access import SessionOrClient
from shared.http.paging import PageQuery, not_a_cursor, read_cursor, write_cursor
from shared.http.routes import Answer, Body, Call, Route
from shared.problems import NotFound, PermissionMissing, Stale

ID = Field(default=None, min_length=1, max_length=1024)


class WhoCan(Body):
    """What is asked about: a permission, and the resource as far as it is known.

    Without `project_id` it is a resource outside of all projects, unless it is registered. Without
    `account_id` the account is found as for an evaluation.
    """

    account_id: str | None = ID
    permission: PermissionName = Field(examples=["instance:write"])
    project_id: str | None = ID
    resource_id: str | None = ID
    owner_id: str | None = ID


class HolderView(Answer):
    """A member who may do it. `override` is the project whose override grants it, if one does.

    `limited_to` is null for a member who may do it as asked. Otherwise it is the grant in words,
    such as `self` or `all when resource.properties.status is "active"`: it depends on what was not
    asked, such as the owner, properties and context.
    """

    user_id: str
    role: str
    role_title: str
    override: str | None
    limited_to: str | None


class HoldersView(Answer):
    """A page of the members who may do it, by user id; a page may have fewer than `limit`.

    `next_cursor` is null on the last page. `revision` is the state that this page rests on.
    """

    account_id: str
    items: tuple[HolderView, ...]
    next_cursor: str | None
    revision: str | None


async def who_can(ctx: Ctx, call: Call[WhoCan, PageQuery]) -> HoldersView:
    """List the members who may do something."""
    body, principal = call.body, call.principal
    if not isinstance(principal, ClientPrincipal | UserPrincipal):
        raise TypeError("The route admits users and service clients only.")
    found = await use_case.find(
        ctx,
        principal,
        WhoCanRequest(
            account_id=body.account_id,
            permission=body.permission,
            resource=Resource(body.resource_id or NO_RESOURCE_ID, body.owner_id, body.project_id),
            revision=call.revision,
            limit=call.query.limit,
            after=_read_place(ctx, call),
        ),
    )
    following = found.holders.next_after
    return HoldersView(
        account_id=found.account_id,
        items=tuple(
            HolderView(
                user_id=one.user_id,
                role=one.role,
                role_title=found.titles[one.role],
                override=_override(one.decided_by),
                limited_to=one.limited_to,
            )
            for one in found.holders.members
        ),
        next_cursor=None if following is None else _cursor(ctx, call, following),
        revision=found.revision,
    )


def _read_place(ctx: Ctx, call: Call[WhoCan, PageQuery]) -> str | None:
    """The user id after which the page begins."""
    last = read_cursor(call)
    if last is None:
        return None
    place = ctx.places.read(last[0], of=_list_of(call))
    if place is None:
        raise not_a_cursor()
    return place


def _cursor(ctx: Ctx, call: Call[WhoCan, PageQuery], user_id: str) -> str:
    return write_cursor(call, (ctx.places.seal(user_id, of=_list_of(call)), ""))


def _list_of(call: Call[WhoCan, PageQuery]) -> str:
    return f"{call.route.operation_id} {call.body.model_dump_json()}"


def _override(decided_by: str) -> str | None:
    kind, _, project_id = decided_by.partition(":")
    return project_id if kind == "override" else None


ROUTES = (
    Route(
        method="POST",
        path="/v1/authz/who-can",
        handler=who_can,
        operation_id="whoCan",
        summary="List the members who may do something, and what grants it",
        tag="decisions",
        access=SessionOrClient(CHECK_SCOPE),
        takes=WhoCan,
        query=PageQuery,
        gives=HoldersView,
        refuses=(
            Stale,
            AccountNotBound,
            TypeNotBound,
            NotFound,
            PermissionMissing,
            *SHUT_OUT.values(),
        ),
        on_repeat="Lists again. It changes nothing.",
        caller_rule=f"A user needs `{SEE_MEMBERS}` in the account.",
    ),
)
