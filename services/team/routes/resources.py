"""Routes of registered resources."""

from datetime import datetime

from services.team.domain.account_access import AccountAccess, ClientAccess
from services.team.domain.accounts import OwnerOnly
from services.team.domain.authority import GrantsExceeded
from services.team.domain.resources import (
    NewOwnerNotMember,
    Property,
    RegisteredResource,
    RegistrationStatus,
    ResourceFilter,
    ResourceKey,
    ResourceLimit,
    ResourceProjectUnknown,
)
from services.team.routes.resource_bodies import (
    BATCH_CAP_BYTES,
    ReassignResources,
    RegisterResource,
    RegisterResources,
    ResourcesQuery,
)
from services.team.use_cases import resources
from services.team.use_cases.context import AccountRequest, ClientRequest, Ctx
from services.team.use_cases.resources import Registered
from shared.auth.account_refusals import ACCOUNT_CLOSED
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.http.access import Client, Permission, PermissionOrClient
from shared.http.entity_tags import TaggedAnswer
from shared.http.entry_refusals import EntryRefused, entry_refused
from shared.http.paging import Page, read_cursor, write_cursor
from shared.http.routes import Answer, Call, Reply, Route
from shared.http.turns import in_turns
from shared.ids import AccountId, ProjectId, UserId
from shared.problems import NotFound

WRITE = Client("resources:write")
REASSIGN = Permission("member:remove")
SEE = PermissionOrClient("member:remove", scope=WRITE.scope)
"""Who removes members deals with what they leave behind; no other member needs the whole list."""


class ResourceView(TaggedAnswer):
    """A registered resource. Its owner may have left the account."""

    type: str
    id: str
    project_id: ProjectId | None
    owner_id: UserId | None
    properties: dict[str, Property]
    registered_at: datetime


class RegistrationView(Answer):
    """What was done with one resource."""

    type: str
    id: str
    status: RegistrationStatus
    etag: str | None
    refusal: EntryRefused | None = None


class RegistrationsView(Answer):
    """A result for each resource, in the order of the request."""

    results: list[RegistrationView]


class ReassignedView(Answer):
    """How many resources have the new owner now. Repeat the request while some are `remaining`."""

    reassigned: int
    remaining: int


def resource_view(resource: RegisteredResource) -> ResourceView:
    """A resource as its JSON object."""
    return ResourceView(
        type=resource.type,
        id=resource.rid,
        project_id=resource.project_id,
        owner_id=resource.owner_id,
        properties=dict(resource.properties),
        registered_at=resource.registered_at,
    )


def _registration(done: Registered) -> RegistrationView:
    kind, rid = done.key
    return RegistrationView(
        type=kind,
        id=rid,
        status=done.done,
        etag=None if done.resource is None else resource_view(done.resource).etag,
        refusal=None if done.refusal is None else entry_refused(done.refusal),
    )


def _wanted(
    ctx: Ctx, account_id: AccountId, key: ResourceKey, body: RegisterResource
) -> RegisteredResource:
    return RegisteredResource(
        account_id=account_id,
        type=key[0],
        rid=key[1],
        project_id=None if body.project_id is None else ProjectId(body.project_id),
        owner_id=None if body.owner_id is None else UserId(body.owner_id),
        properties=body.properties,
        registered_at=ctx.clock.now(),
    )


def _named(call: Call[RegisterResource, None] | Call[None, None]) -> ResourceKey:
    return call.path["type"], call.path["rid"]


async def list_resources(
    ctx: Ctx, call: Call[None, ResourcesQuery], access: AccountAccess | ClientAccess
) -> Page[ResourceView]:
    """List registered resources, by type and id."""
    query = call.query
    wanted = ResourceFilter(
        types=None if query.type is None else (query.type,),
        project_id=None if query.project is None else ProjectId(query.project),
        owner_id=None if query.owner is None else UserId(query.owner),
    )
    found = await resources.search(
        ctx, access, wanted, after=read_cursor(call), limit=query.limit + 1
    )
    page = found[: query.limit]
    following = write_cursor(call, page[-1].key) if len(found) > len(page) else None
    return Page[ResourceView](items=[resource_view(one) for one in page], next_cursor=following)


async def get(
    ctx: Ctx, call: Call[None, None], access: AccountAccess | ClientAccess
) -> ResourceView:
    """Return one registered resource."""
    return resource_view(await resources.get(ctx, access, _named(call)))


async def put(ctx: Ctx, call: Call[RegisterResource, None], request: ClientRequest) -> Reply:
    """Register one resource."""
    wanted = _wanted(ctx, call.account_id, _named(call), call.body)
    written = await resources.put(ctx, request, wanted)
    return Reply(body=resource_view(written.result), written=written)


async def put_all(ctx: Ctx, call: Call[RegisterResources, None], request: ClientRequest) -> Reply:
    """Register many resources."""
    wanted = [
        _wanted(ctx, call.account_id, (one.type, one.id), one)
        async for one in in_turns(call.body.resources)
    ]
    written = await resources.put_all(ctx, request, wanted)
    results = [_registration(done) async for done in in_turns(written.result)]
    return Reply(body=RegistrationsView(results=results), written=written)


async def delete(ctx: Ctx, call: Call[None, None], request: ClientRequest) -> Reply:
    """Delete a resource from the register."""
    return Reply(written=await resources.delete(ctx, request, _named(call)))


async def reassign(ctx: Ctx, call: Call[ReassignResources, None], request: AccountRequest) -> Reply:
    """Give the resources of one user to a member."""
    body = call.body
    wanted = ResourceFilter(
        types=body.types,
        project_id=None if body.project_id is None else ProjectId(body.project_id),
    )
    written = await resources.reassign(
        ctx,
        request,
        wanted=wanted,
        from_user_id=UserId(body.from_user_id),
        to_user_id=UserId(body.to_user_id),
    )
    done = written.result
    view = ReassignedView(reassigned=done.reassigned, remaining=done.remaining)
    return Reply(body=view, written=written)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/resources",
        handler=list_resources,
        operation_id="listResources",
        summary="Registered resources",
        tag="resources",
        access=SEE,
        query=ResourcesQuery,
        gives=Page[ResourceView],
        refuses=(AccountNotBound, TypeNotBound),
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/resources",
        handler=put_all,
        operation_id="registerResources",
        summary="Register up to 500 resources, with a result for each",
        tag="resources",
        access=WRITE,
        takes=RegisterResources,
        gives=RegistrationsView,
        body_cap=BATCH_CAP_BYTES,
        refuses=(AccountNotBound, TypeNotBound, NotFound, *ACCOUNT_CLOSED.values()),
        effective_everywhere=True,
        on_repeat="Registers the same again: what is so already is answered `unchanged`.",
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/resources/reassign",
        handler=reassign,
        operation_id="reassignResources",
        summary="Give the resources of one user to a member, up to 500 at a time",
        tag="resources",
        access=REASSIGN,
        caller_rule="Only the owner gives away what the owner owns.",
        takes=ReassignResources,
        gives=ReassignedView,
        refuses=(OwnerOnly, NewOwnerNotMember, GrantsExceeded),
        effective_everywhere=True,
        on_repeat="Reassigns what remains, if anything does.",
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/resources/{type}/{rid}",
        handler=get,
        operation_id="getResource",
        summary="One registered resource",
        tag="resources",
        access=SEE,
        gives=ResourceView,
        refuses=(AccountNotBound, TypeNotBound),
        represent=resource_view,
    ),
    Route(
        method="PUT",
        path="/v1/accounts/{account_id}/resources/{type}/{rid}",
        handler=put,
        operation_id="registerResource",
        summary="Register a resource, or replace what is registered of it",
        tag="resources",
        access=WRITE,
        takes=RegisterResource,
        gives=ResourceView,
        refuses=(
            AccountNotBound,
            TypeNotBound,
            ResourceProjectUnknown,
            NewOwnerNotMember,
            ResourceLimit,
            *ACCOUNT_CLOSED.values(),
        ),
        effective_everywhere=True,
        represent=resource_view,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/resources/{type}/{rid}",
        handler=delete,
        operation_id="deleteResource",
        summary="Delete a resource from the register",
        tag="resources",
        access=WRITE,
        refuses=(AccountNotBound, TypeNotBound, *ACCOUNT_CLOSED.values()),
        effective_everywhere=True,
        represent=resource_view,
    ),
)
