"""The routes of e-mail verification."""

from services.identity.domain.rate_limits import TooManyRequests
from services.identity.domain.verification import LinkInvalid
from services.identity.routes.fields import Text
from services.identity.routes.sessions import SessionAnswer, session_answer
from services.identity.routes.sign_up import VerificationSent
from services.identity.use_cases import verification
from services.identity.use_cases.context import Ctx
from shared.http.access import Public
from shared.http.routes import Body, Call, Route


class Verify(Body):
    """The token of the mailed link; the code is optional."""

    token: Text
    code: Text | None = None


class Resend(Body):
    """The address that needs another link."""

    email: Text


async def verify(ctx: Ctx, call: Call[Verify, None]) -> SessionAnswer:
    """Verify the address and give a session."""
    body = call.body
    signed_in = await verification.verify(ctx, call.caller, token=body.token, code=body.code)
    return session_answer(ctx, signed_in)


async def resend(ctx: Ctx, call: Call[Resend, None]) -> VerificationSent:
    """Return the same answer for every address."""
    await verification.resend(ctx, call.caller, email=call.body.email)
    return VerificationSent()


ROUTES = (
    Route(
        method="POST",
        path="/v1/email/verify",
        handler=verify,
        operation_id="verifyEmail",
        summary="Verify an address by the mailed link, and sign in",
        tag="sign-in",
        access=Public(),
        takes=Verify,
        gives=SessionAnswer,
        refuses=(LinkInvalid,),
    ),
    Route(
        method="POST",
        path="/v1/email/resend",
        handler=resend,
        operation_id="resendVerification",
        summary="Mail another verification link",
        tag="sign-in",
        access=Public(),
        takes=Resend,
        gives=VerificationSent,
        status=202,
        refuses=(TooManyRequests,),
    ),
)
