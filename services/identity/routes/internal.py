"""The routes for the other services."""

from services.identity.domain.verification import LinkInvalid
from services.identity.routes.oidc import key_set
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.snapshot import snapshot
from services.identity.use_cases.users import user_by_id
from services.identity.use_cases.verification import link_to_mail
from shared.contracts.calls.base import LinkAnswer
from shared.contracts.calls.identity import (
    KEY_SET,
    USER,
    VERIFICATION_LINK,
    InternalUser,
    VerificationLinkRequest,
)
from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.ids import UserId
from shared.problems import NotFound


async def get_user(ctx: Ctx, call: Call[None, None]) -> InternalUser:
    """Return a user for another service."""
    user = await user_by_id(ctx, UserId(call.path["user_id"]))
    return InternalUser(
        user_id=user.id,
        email=user.email,
        email_verified=user.verified,
        name=user.name,
        account_id=user.account_id,
    )


async def link(ctx: Ctx, call: Call[VerificationLinkRequest, None]) -> LinkAnswer:
    """Return the link of a mail that is about to be sent."""
    body = call.body
    found = await link_to_mail(ctx, user_id=UserId(body.id), generation=body.generation)
    links = ctx.verification_links
    return LinkAnswer(
        url=f"{ctx.settings.public_url}/verify#token={links.token(found)}", code=links.code(found)
    )


async def get_snapshot(ctx: Ctx, call: Call[None, SnapshotQuery]) -> SnapshotPage:
    """Return one page of identity's policy objects."""
    return await snapshot(ctx, call.query.cursor)


ROUTES = (
    internal_route(KEY_SET, key_set),
    internal_route(USER, get_user, refuses=(NotFound,)),
    internal_route(VERIFICATION_LINK, link, refuses=(LinkInvalid,)),
    internal_route(SNAPSHOT, get_snapshot),
)
