"""What do the other services and the operator ask?"""

from services.identity import use_cases
from services.identity.context import Ctx
from services.identity.domain import (
    LinkInvalid,
)
from services.identity.messages import ClientAnswer, NewClient
from services.identity.routes.oauth import key_set
from services.identity.snapshot import snapshot
from shared.contracts.calls import (
    KEY_SET,
    SNAPSHOT,
    USER,
    VERIFICATION_LINK,
    InternalUser,
    LinkAnswer,
    SnapshotPage,
    SnapshotQuery,
    VerificationLinkRequest,
)
from shared.http import Admin, Call, Reply, Route
from shared.http.internal import internal_route
from shared.ids import UserId
from shared.problems import NotFound


async def create_client(ctx: Ctx, call: Call[NewClient, None]) -> Reply:
    """A service client with its secret."""
    body = call.body
    client, secret, written = await use_cases.create_client(
        ctx,
        call.caller,
        name=body.name,
        scopes=tuple(dict.fromkeys(body.scopes)),
        account_ids=body.account_ids,
        resource_types=body.resource_types,
    )
    return Reply(body=ClientAnswer(id=client.id, secret=secret), written=written)


async def get_user(ctx: Ctx, call: Call[None, None]) -> InternalUser:
    """A user for another service."""
    user = await use_cases.user_by_id(ctx, UserId(call.path["user_id"]))
    return InternalUser(
        user_id=user.id,
        email=user.email,
        email_verified=user.verified,
        name=user.name,
        account_id=user.account_id,
    )


async def link(ctx: Ctx, call: Call[VerificationLinkRequest, None]) -> LinkAnswer:
    """The link of a mail that is about to be sent."""
    body = call.body
    found = await use_cases.link_to_mail(ctx, user_id=UserId(body.id), generation=body.generation)
    links = ctx.verification_links
    return LinkAnswer(
        url=f"{ctx.settings.public_url}/verify#token={links.token(found)}", code=links.code(found)
    )


async def get_snapshot(ctx: Ctx, call: Call[None, SnapshotQuery]) -> SnapshotPage:
    """One page of what authz knows of identity."""
    return await snapshot(ctx, call.query.cursor)


ROUTES = (
    internal_route(KEY_SET, key_set),
    internal_route(USER, get_user, refuses=(NotFound,)),
    internal_route(VERIFICATION_LINK, link, refuses=(LinkInvalid,)),
    internal_route(SNAPSHOT, get_snapshot),
    Route(
        method="POST",
        path="/internal/admin/service-clients",
        handler=create_client,
        operation_id="createServiceClient",
        summary="Make a service client",
        tag="admin",
        access=Admin(),
        takes=NewClient,
        gives=ClientAnswer,
        status=201,
        effective_everywhere=True,
    ),
)
