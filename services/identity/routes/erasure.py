"""The routes by which a user is deleted: by themselves, or by an operator whom they asked."""

from pydantic import Field

from services.identity.domain.erasure import OwnsTeams
from services.identity.use_cases import erasure
from services.identity.use_cases.context import Ctx
from shared.http.access import Admin, Session
from shared.http.routes import Body, Call, Reply, Route
from shared.ids import UserId
from shared.problems import NotFound


class ErasureQuery(Body):
    """The user's own address, typed by them."""

    confirm: str = Field(
        default="",
        max_length=400,
        description="The e-mail address of the user; without it nothing is deleted",
    )


async def erase(ctx: Ctx, call: Call[None, ErasureQuery]) -> Reply:
    """Erase the user of the request."""
    written = await erasure.erase(ctx, call.caller, call.user, confirm=call.query.confirm)
    return Reply(written=written)


async def erase_for_operator(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Erase a user who asked an operator for it."""
    user_id = UserId(call.path["user_id"])
    return Reply(written=await erasure.erase_for_operator(ctx, call.caller, user_id))


ROUTES = (
    Route(
        method="DELETE",
        path="/v1/me",
        handler=erase,
        operation_id="deleteMe",
        summary="Delete the user for good: sessions, tokens, memberships, name and address",
        tag="me",
        access=Session(fresh_proof=True),
        query=ErasureQuery,
        refuses=(OwnsTeams,),
        effective_everywhere=True,
    ),
)
OPERATOR_ROUTES = (
    Route(
        method="POST",
        path="/internal/admin/users/{user_id}/erase",
        handler=erase_for_operator,
        operation_id="eraseUser",
        summary="Delete a user for good, as they do by themselves, and erase their values",
        tag="admin",
        access=Admin(),
        refuses=(NotFound, OwnsTeams),
        effective_everywhere=True,
        on_repeat="Has every service drop again what it has of the user.",
    ),
)
