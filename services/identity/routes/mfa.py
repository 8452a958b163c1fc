"""The routes of second factors, and of the proof that adding and removing them needs."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from rolecall.client.access_tokens import ACCESS_SECONDS
from services.identity.adapters.recovery_codes import shown
from services.identity.adapters.totp import qr_svg
from services.identity.domain.mfa import EnrolmentMissing, NoSecondFactor, OtpRequired, WrongOtp
from services.identity.domain.passkeys import PasskeyChallengeOver, PasskeyRefused
from services.identity.domain.passwords import HashingBusy, WrongPassword
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.domain.sessions import SignInAgain
from services.identity.routes.fields import Text
from services.identity.routes.passkeys import SignedChallenge
from services.identity.routes.sessions import access_token
from services.identity.use_cases import mfa, step_up
from services.identity.use_cases.context import Ctx
from shared.http.access import Session
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.problems import NotFound

PROVED = Session(fresh_proof=True)


class StepUp(Body):
    """A proof: `passkey` or `otp` of a user with a second factor, else the password."""

    password: Text | None = None
    otp: Text | None = None
    passkey: SignedChallenge | None = None


class Otp(Body):
    """The code that the app shows."""

    otp: Text


class StepUpAnswer(Answer):
    """An access token with the fresh proof; the refresh token stays the same."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int


class TotpAnswer(Answer):
    """An app that makes codes."""

    added_at: datetime


class MfaAnswer(Answer):
    """The second factors of the user; without one there are no recovery codes."""

    totp: TotpAnswer | None
    passkeys: int
    recovery_codes_left: int


class EnrolmentAnswer(Answer):
    """The secret for the app, also as an address and as a QR code; shown once."""

    secret: str
    uri: str
    qr_svg: str = Field(description="An SVG element with the address as a QR code")


class RecoveryCodesAnswer(Answer):
    """Codes that each replace the second factor once; shown once."""

    recovery_codes: list[str]


async def get_factors(ctx: Ctx, call: Call[None, None]) -> MfaAnswer:
    """Return the second factors of the user."""
    factors = await mfa.factors_of(ctx, call.user)
    totp = None if factors.totp is None else TotpAnswer(added_at=factors.totp.added_at)
    return MfaAnswer(
        totp=totp, passkeys=len(factors.passkeys), recovery_codes_left=len(factors.codes)
    )


async def prove(ctx: Ctx, call: Call[StepUp, None]) -> StepUpAnswer:
    """Return an access token with a fresh proof."""
    body = call.body
    signed_in = await step_up.step_up(
        ctx,
        call.caller,
        call.user,
        password=body.password,
        otp=body.otp,
        passkey=None if body.passkey is None else body.passkey.answer(),
    )
    return StepUpAnswer(
        access_token=access_token(ctx, signed_in.session), expires_in=ACCESS_SECONDS
    )


async def begin_totp(ctx: Ctx, call: Call[None, None]) -> EnrolmentAnswer:
    """Return the secret for an app."""
    made = await mfa.begin_totp(ctx, call.caller, call.user)
    return EnrolmentAnswer(secret=made.secret, uri=made.uri, qr_svg=qr_svg(made.uri))


async def confirm_totp(ctx: Ctx, call: Call[Otp, None]) -> Reply:
    """Return the recovery codes of an app that has given its first code."""
    written = await mfa.confirm_totp(ctx, call.caller, call.user, otp=call.body.otp)
    return Reply(body=_codes(written.result), written=written)


async def remove_totp(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Remove the app."""
    return Reply(written=await mfa.remove_totp(ctx, call.caller, call.user))


async def replace_recovery_codes(ctx: Ctx, call: Call[None, None]) -> RecoveryCodesAnswer:
    """Return new recovery codes."""
    return _codes(await mfa.replace_recovery_codes(ctx, call.caller, call.user))


def _codes(codes: list[str]) -> RecoveryCodesAnswer:
    return RecoveryCodesAnswer(recovery_codes=[shown(code) for code in codes])


ROUTES = (
    Route(
        method="GET",
        path="/v1/me/mfa",
        handler=get_factors,
        operation_id="getSecondFactors",
        summary="My second factors",
        tag="me",
        access=Session(),
        gives=MfaAnswer,
    ),
    Route(
        method="POST",
        path="/v1/me/step-up",
        handler=prove,
        operation_id="stepUp",
        summary="Prove again who I am, for requests that need a fresh proof",
        tag="me",
        access=Session(),
        takes=StepUp,
        gives=StepUpAnswer,
        refuses=(
            OtpRequired,
            WrongOtp,
            WrongPassword,
            PasskeyRefused,
            PasskeyChallengeOver,
            SignInAgain,
            TooManyRequests,
            HashingBusy,
        ),
        on_repeat="Needs another code. With the password, proves the same again.",
    ),
    Route(
        method="POST",
        path="/v1/me/mfa/totp",
        handler=begin_totp,
        operation_id="beginTotp",
        summary="Begin to add an app that makes codes",
        tag="me",
        access=PROVED,
        gives=EnrolmentAnswer,
        on_repeat="Makes another secret; the one before stops working.",
    ),
    Route(
        method="POST",
        path="/v1/me/mfa/totp/confirm",
        handler=confirm_totp,
        operation_id="confirmTotp",
        summary="Add the app by its first code, and end my other sessions with the first factor",
        tag="me",
        access=Session(),
        takes=Otp,
        gives=RecoveryCodesAnswer,
        refuses=(EnrolmentMissing, WrongOtp, TooManyRequests, HashingBusy),
        effective_everywhere=True,
        on_repeat="Finds no app that waits: 409. Recovery codes can be made anew.",
    ),
    Route(
        method="DELETE",
        path="/v1/me/mfa/totp",
        handler=remove_totp,
        operation_id="removeTotp",
        summary="Remove the app that makes codes",
        tag="me",
        access=PROVED,
        refuses=(NotFound,),
        effective_everywhere=True,
    ),
    Route(
        method="POST",
        path="/v1/me/mfa/recovery-codes",
        handler=replace_recovery_codes,
        operation_id="replaceRecoveryCodes",
        summary="Make new recovery codes; earlier ones stop working",
        tag="me",
        access=PROVED,
        gives=RecoveryCodesAnswer,
        refuses=(NoSecondFactor, TooManyRequests, HashingBusy),
        on_repeat="Makes other codes; the ones before stop working.",
    ),
)
