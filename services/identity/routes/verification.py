"""The route of e-mail verification."""

from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.passwords import HashingBusy
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.routes.fields import Text
from services.identity.routes.sessions import SessionAnswer, session_answer, sign_up_reply
from services.identity.use_cases import verification
from services.identity.use_cases.context import Ctx
from shared.http.access import Public
from shared.http.routes import Body, Call, Reply, Route


class Verify(Body):
    """The token of the mailed link, with its optional code, and the password of the new user.

    `name` replaces the name of the sign-up.
    """

    token: Text
    code: Text | None = None
    name: Text | None = None
    password: Text


async def verify(ctx: Ctx, call: Call[Verify, None]) -> Reply:
    """Create the user and give a session."""
    body = call.body
    signed_in = await verification.verify(
        ctx,
        call.caller,
        token=body.token,
        code=body.code,
        name=body.name,
        password=body.password,
    )
    return sign_up_reply(signed_in, session_answer(ctx, signed_in), status=200)


ROUTES = (
    Route(
        method="POST",
        path="/v1/email/verify",
        handler=verify,
        operation_id="verifyEmail",
        summary="Verify an address by the mailed link, set the password, and sign in",
        tag="sign-in",
        access=Public(),
        takes=Verify,
        gives=SessionAnswer,
        refuses=(LinkInvalid, TooManyRequests, HashingBusy),
        on_repeat="Gives the same session for a minute, with the same password. Then the link is"
        " used: 410.",
        gives_revision=True,
    ),
)
