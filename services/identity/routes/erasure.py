"""The route by which a user deletes themselves."""

from pydantic import Field

from services.identity.domain.erasure import OwnsTeams
from services.identity.use_cases import erasure
from services.identity.use_cases.context import Ctx
from shared.http.access import Session
from shared.http.routes import Body, Call, Reply, Route


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
