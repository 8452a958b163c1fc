"""The routes of the password reset."""

from typing import Literal

from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.other_access import EndAccess
from services.identity.domain.passwords import HashingBusy
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.routes.fields import Text
from services.identity.use_cases import password_reset
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.password_reset import NewPassword
from shared.http.access import Public, PublicCallers
from shared.http.routes import Answer, Body, Call, Reply, Route


class ForgottenPassword(Body):
    """The address of the user who cannot sign in."""

    email: Text


class PasswordReset(Body):
    """The token of the mailed link, and the new password.

    With `end_access` the API tokens and linked identities end that were made in the last 30 days
    (`recent`), `all` of them, or `none`.
    """

    token: Text
    password: Text
    end_access: EndAccess = EndAccess.RECENT


class ResetSent(Answer):
    """A link is mailed if the address has a user; the answer is the same for every address."""

    status: Literal["reset-sent"] = "reset-sent"


async def forgot(ctx: Ctx, call: Call[ForgottenPassword, None]) -> ResetSent:
    """Give the same answer for every address."""
    await password_reset.forgot(ctx, call.caller, email=call.body.email)
    return ResetSent()


async def reset(ctx: Ctx, call: Call[PasswordReset, None]) -> Reply:
    """Set the password; no session of the user is left."""
    body = call.body
    new = NewPassword(text=body.password, end_access=body.end_access)
    result = await password_reset.reset(ctx, call.caller, token=body.token, new=new)
    return Reply(written=result)


ROUTES = (
    Route(
        method="POST",
        path="/v1/password/forgot",
        handler=forgot,
        operation_id="forgotPassword",
        summary="Mail a link that resets the password",
        tag="sign-in",
        access=Public(PublicCallers.MAILED),
        takes=ForgottenPassword,
        gives=ResetSent,
        status=202,
        refuses=(TooManyRequests,),
        on_repeat="Mails again within the budget of the mailbox.",
    ),
    Route(
        method="POST",
        path="/v1/password/reset",
        handler=reset,
        operation_id="resetPassword",
        summary="Set a new password by the mailed link, and end every session",
        tag="sign-in",
        access=Public(),
        takes=PasswordReset,
        refuses=(LinkInvalid, TooManyRequests, HashingBusy),
        effective_everywhere=True,
        on_repeat="Is answered 204 for a minute with the same password, then 410.",
    ),
)
