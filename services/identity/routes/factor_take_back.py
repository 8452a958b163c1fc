"""The route by which the owner of a mailbox takes a new second factor back."""

from services.identity.domain.mailed_links import LinkInvalid
from services.identity.routes.fields import Text
from services.identity.use_cases import factor_take_back
from services.identity.use_cases.context import Ctx
from shared.http.access import Public
from shared.http.routes import Body, Call, Reply, Route


class FactorTakeBack(Body):
    """The token of the link in the mail that told of the factor."""

    token: Text


async def take_back(ctx: Ctx, call: Call[FactorTakeBack, None]) -> Reply:
    """Remove the factors; no session of the user is left."""
    return Reply(written=await factor_take_back.take_back(ctx, call.caller, token=call.body.token))


ROUTES = (
    Route(
        method="POST",
        path="/v1/mfa/take-back",
        handler=take_back,
        operation_id="takeFactorBack",
        summary="Remove a new second factor by the mailed link, and end every session and the"
        " password",
        tag="sign-in",
        access=Public(),
        takes=FactorTakeBack,
        refuses=(LinkInvalid,),
        effective_everywhere=True,
        on_repeat="Changes nothing, as long as the user adds no other factor.",
    ),
)
