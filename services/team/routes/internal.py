"""What do the other services ask team?"""

from typing import Literal

from pydantic import Field

from services.team.domain.joining import InvitationNotValid
from services.team.routes.invitations import LinkView, link_view
from services.team.routes.joining import OpenedView, Proof, opened_view
from services.team.use_cases import joining
from services.team.use_cases.context import Ctx
from shared.contracts.policy_objects import SnapshotPage
from shared.http.access import Internal
from shared.http.routes import Body, Call, Route
from shared.links import Link


class LinkName(Body):
    """Which of our links."""

    kind: Literal["invitation"]
    id: str = Field(pattern=r"^inv_[0-9a-f]{32}$")
    generation: int = Field(ge=1)


class SnapshotQuery(Body):
    """`cursor` is what the page before gave as `next_cursor`."""

    cursor: str | None = Field(default=None, max_length=8_000)


async def make_link(ctx: Ctx, call: Call[LinkName, None]) -> LinkView:
    """URL and code of an invitation that is about to be mailed."""
    link = Link(id=call.body.id, generation=call.body.generation)
    return link_view(ctx, await joining.mailed_link(ctx, link))


async def look_up(ctx: Ctx, call: Call[Proof, None]) -> OpenedView:
    """Whom an invitation is for, so that a newcomer can sign up."""
    return opened_view(await joining.lookup(ctx, token=call.body.token, code=call.body.code))


async def snapshot(ctx: Ctx, call: Call[None, SnapshotQuery]) -> SnapshotPage:
    """The policy state of all accounts; the heads are read before any row."""
    journal = ctx.journal
    if call.query.cursor is not None:
        return await ctx.snapshot.page(call.query.cursor, source=journal.source)
    heads = await journal.heads()
    return await ctx.snapshot.first_page(source=journal.source, epoch=journal.epoch, heads=heads)


ROUTES = (
    Route(
        method="POST",
        path="/internal/links",
        handler=make_link,
        operation_id="makeInvitationLink",
        summary="The link of a mail that goes out now",
        tag="internal",
        access=Internal(("notification",)),
        takes=LinkName,
        gives=LinkView,
        refuses=(InvitationNotValid,),
    ),
    Route(
        method="POST",
        path="/internal/invitations/lookup",
        handler=look_up,
        operation_id="lookUpInvitationInternally",
        summary="Whom an invitation is for",
        tag="internal",
        access=Internal(("identity",)),
        takes=Proof,
        gives=OpenedView,
        refuses=(InvitationNotValid,),
    ),
    Route(
        method="GET",
        path="/internal/snapshot",
        handler=snapshot,
        operation_id="teamSnapshot",
        summary="All policy state, page by page",
        tag="internal",
        access=Internal(("authz",)),
        query=SnapshotQuery,
        gives=SnapshotPage,
    ),
)
