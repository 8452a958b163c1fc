"""The routes by which a user changes the address, and takes the change back."""

from typing import Literal

from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.passwords import HashingBusy, WrongPassword
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.routes.fields import Text
from services.identity.routes.users import UserAnswer, user_fields
from services.identity.use_cases import address_change
from services.identity.use_cases.context import Ctx
from shared.auth.step_up import StepUpRequired
from shared.http.access import Public, Session, WaitsFor
from shared.http.routes import Answer, Body, Call, Reply, Route


class AddressChange(Body):
    """The new address, and the password of a user who has no second factor.

    Without the password, and with a second factor, the session needs a fresh proof.
    """

    email: Text
    password: Text | None = None


class AddressProof(Body):
    """The token of the link that was mailed to the new address."""

    token: Text


class AddressUndo(Body):
    """The token of the link that was mailed to the former address."""

    token: Text


class AddressLinkSent(Answer):
    """A link is mailed, unless the address has a user; the answer is the same for every address."""

    status: Literal["confirmation-sent"] = "confirmation-sent"


async def request(ctx: Ctx, call: Call[AddressChange, None]) -> AddressLinkSent:
    """Give the same answer for every address."""
    body = call.body
    await address_change.request(
        ctx, call.caller, call.user, email=body.email, password=body.password
    )
    return AddressLinkSent()


async def confirm(ctx: Ctx, call: Call[AddressProof, None]) -> Reply:
    """Return the user with the new address."""
    result = await address_change.confirm(ctx, call.caller, call.user, token=call.body.token)
    return Reply(body=UserAnswer(**user_fields(result.result)), written=result)


async def undo(ctx: Ctx, call: Call[AddressUndo, None]) -> Reply:
    """Give the former address back; no session of the user is left."""
    return Reply(written=await address_change.undo(ctx, call.caller, token=call.body.token))


ROUTES = (
    Route(
        method="POST",
        path="/v1/me/email",
        handler=request,
        operation_id="changeEmail",
        summary="Ask for another address: a link is mailed to it, and the present one is told",
        tag="me",
        access=Session(waits_for=WaitsFor.MAIL),
        takes=AddressChange,
        gives=AddressLinkSent,
        status=202,
        refuses=(StepUpRequired, WrongPassword, TooManyRequests, HashingBusy),
        on_repeat="Mails again within the budget of the mailbox.",
    ),
    Route(
        method="POST",
        path="/v1/me/email/confirm",
        handler=confirm,
        operation_id="confirmEmail",
        summary="Prove the new address by the mailed link, and end the user's other sessions",
        tag="me",
        access=Session(),
        takes=AddressProof,
        gives=UserAnswer,
        refuses=(LinkInvalid,),
        effective_everywhere=True,
        on_repeat="Changes nothing, as long as the link lives and the user has the address.",
    ),
    Route(
        method="POST",
        path="/v1/email/undo",
        handler=undo,
        operation_id="undoEmailChange",
        summary="Give a user the former address back, and end every session and the password",
        tag="sign-in",
        access=Public(),
        takes=AddressUndo,
        refuses=(LinkInvalid,),
        effective_everywhere=True,
        on_repeat="Changes nothing, as long as the link lives and the user has the address.",
    ),
)
