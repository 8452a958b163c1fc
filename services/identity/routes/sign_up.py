"""The routes of sign-up."""

from typing import Literal

from pydantic import ConfigDict, RootModel, model_validator

from services.identity.domain.passwords import HashingBusy
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.domain.sign_up import AccountExists
from services.identity.routes.fields import Text
from services.identity.routes.sessions import SessionAnswer, session_answer, sign_up_reply
from services.identity.use_cases import sign_up as use_cases
from services.identity.use_cases.context import Ctx
from shared.contracts.refusals import InvitationNotValid
from shared.http.access import Public, PublicCallers
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.locales import preferred_locale
from shared.problems import Invalid

SET_AT_VERIFICATION = (
    "A sign-up by address takes no password. Set it when you verify the address, "
    "with `POST /v1/email/verify`."
)


class InvitationProof(Body):
    """The token and the code of an invitation link."""

    token: Text
    code: Text


class SignUp(Body):
    """The input of a sign-up: an address, or an invitation that names it.

    Only an e-mailed invitation takes a password, because it proves the address.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ana@example.com", "name": "Ana Diaz"}]}
    )

    email: Text | None = None
    name: Text
    password: Text | None = None
    invitation: InvitationProof | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "SignUp":
        if (self.email is None) == (self.invitation is None):
            raise ValueError("Send either `email` or `invitation`")
        return self


class Resend(Body):
    """The address that needs another mail."""

    email: Text


class VerificationSent(Answer):
    """A mail is sent to the address; the answer is the same for every address."""

    status: Literal["verification-sent"] = "verification-sent"


class SignUpAnswer(RootModel[VerificationSent | SessionAnswer]):
    """`verification-sent`, or a session (201) if an e-mailed invitation proved the address."""


async def sign_up(ctx: Ctx, call: Call[SignUp, None]) -> Reply:
    """Answer 202 for every address, or 201 with a session after an e-mailed invitation."""
    body, locale = call.body, preferred_locale(call.headers.get("Accept-Language", ""))
    if body.invitation is None:
        if body.password is not None:
            raise Invalid(errors=[("/password", SET_AT_VERIFICATION)])
        await use_cases.register(
            ctx, call.caller, email=body.email or "", name=body.name, locale=locale
        )
        return Reply(body=SignUpAnswer(VerificationSent()))
    signed_in = await use_cases.register_invited(
        ctx,
        call.caller,
        token=body.invitation.token,
        code=body.invitation.code,
        name=body.name,
        password=body.password,
        locale=locale,
    )
    if signed_in is None:
        return Reply(body=SignUpAnswer(VerificationSent()))
    return sign_up_reply(signed_in, SignUpAnswer(session_answer(ctx, signed_in)), status=201)


async def resend(ctx: Ctx, call: Call[Resend, None]) -> VerificationSent:
    """Give the same answer for every address."""
    await use_cases.resend(ctx, call.caller, email=call.body.email)
    return VerificationSent()


ROUTES = (
    Route(
        method="POST",
        path="/v1/signup",
        handler=sign_up,
        operation_id="signUp",
        summary="Sign up, alone or by an invitation",
        tag="sign-in",
        access=Public(PublicCallers.MAILED),
        takes=SignUp,
        gives=SignUpAnswer,
        status=202,
        also_gives=((201, SessionAnswer),),
        refuses=(InvitationNotValid, AccountExists, TooManyRequests, HashingBusy),
        on_repeat="Finds the sign-up pending, and mails again within the budget of the mailbox."
        " There is no caller yet to whom a key could belong.",
        gives_revision=True,
    ),
    Route(
        method="POST",
        path="/v1/email/resend",
        handler=resend,
        operation_id="resendVerification",
        summary="Mail the link of a sign-up again",
        tag="sign-in",
        access=Public(PublicCallers.MAILED),
        takes=Resend,
        gives=VerificationSent,
        status=202,
        refuses=(TooManyRequests,),
        on_repeat="Mails again within the budget of the mailbox.",
    ),
)
