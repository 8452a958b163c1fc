"""What do people ask: sign-up, sign-in, sessions, their own profile?"""

from services.identity import sign_ins, use_cases
from services.identity.context import Ctx
from services.identity.domain import (
    AccountExists,
    LinkInvalid,
    User,
    WrongCredentials,
)
from services.identity.limits import TooManyRequests
from services.identity.messages import (
    LogIn,
    MeAnswer,
    Refresh,
    Rename,
    Resend,
    SessionAnswer,
    SignUp,
    SignUpAnswer,
    Switch,
    SwitchAnswer,
    UserAnswer,
    VerificationSent,
    Verify,
)
from services.identity.passwords import Busy
from services.identity.sessions import RefreshTokenInvalid, UserSession
from services.identity.sign_ins import SignedIn
from services.identity.use_cases import InvitationNotValid
from shared.auth import user_claims
from shared.auth.access_tokens import ACCESS_SECONDS
from shared.http import Call, Public, Reply, Route, Session
from shared.ids import AccountId
from shared.links import Link
from shared.problems import NotFound, PermissionMissing


async def sign_up(ctx: Ctx, call: Call[SignUp, None]) -> Reply:
    """202 for every address; 201 with a session where a mailed invitation proves it."""
    body = call.body
    if body.invitation is not None:
        signed_in = await use_cases.sign_up_invited(
            ctx,
            call.caller,
            token=body.invitation.token,
            code=body.invitation.code,
            name=body.name,
            password=body.password,
        )
        if signed_in is not None:
            return Reply(body=SignUpAnswer(_session(ctx, signed_in)), status=201)
    else:
        await use_cases.sign_up(
            ctx, call.caller, email=body.email or "", name=body.name, password=body.password
        )
    return Reply(body=SignUpAnswer(VerificationSent()))


async def verify(ctx: Ctx, call: Call[Verify, None]) -> SessionAnswer:
    """A session for who has the mail."""
    body = call.body
    signed_in = await use_cases.verify(ctx, call.caller, token=body.token, code=body.code)
    return _session(ctx, signed_in)


async def resend(ctx: Ctx, call: Call[Resend, None]) -> VerificationSent:
    """The same answer for every address."""
    await use_cases.resend(ctx, call.caller, email=call.body.email)
    return VerificationSent()


async def log_in(ctx: Ctx, call: Call[LogIn, None]) -> SessionAnswer:
    """A session for address and password."""
    body = call.body
    return _session(
        ctx, await sign_ins.log_in(ctx, call.caller, email=body.email, password=body.password)
    )


async def refresh(ctx: Ctx, call: Call[Refresh, None]) -> SessionAnswer:
    """New tokens of the same session."""
    return _session(ctx, await sign_ins.refresh(ctx, call.caller, call.body.refresh_token))


async def log_out(ctx: Ctx, call: Call[None, None]) -> Reply:
    """The session's end."""
    return Reply(written=await sign_ins.log_out(ctx, call.caller, call.user))


async def switch(ctx: Ctx, call: Call[Switch, None]) -> SwitchAnswer:
    """Another current account."""
    signed_in = await sign_ins.switch(
        ctx, call.user, AccountId(call.body.account_id), revision=call.revision
    )
    return SwitchAnswer(
        access_token=_access_token(ctx, signed_in.session),
        expires_in=ACCESS_SECONDS,
        account_id=signed_in.session.account_id,
    )


async def get_me(ctx: Ctx, call: Call[None, None]) -> MeAnswer:
    """The user of the request."""
    return _me(await sign_ins.live_session(ctx, call.user))


async def patch_me(ctx: Ctx, call: Call[Rename, None]) -> Reply:
    """The user under another name."""
    written = await use_cases.rename(ctx, call.caller, call.user, name=call.body.name)
    return Reply(body=_me(written.result), written=written)


def _session(ctx: Ctx, signed_in: SignedIn) -> SessionAnswer:
    session = signed_in.session
    return SessionAnswer(
        access_token=_access_token(ctx, session),
        expires_in=ACCESS_SECONDS,
        refresh_token=ctx.refresh_tokens.token(Link(session.id, session.generation)),
        user=UserAnswer(**_person(signed_in.user)),
        account_id=session.account_id,
    )


def _access_token(ctx: Ctx, session: UserSession) -> str:
    return ctx.keyring.sign(
        user_claims(
            issuer=ctx.settings.public_url,
            user_id=session.user_id,
            session_id=session.id,
            account_id=session.account_id,
            now=ctx.clock.now(),
        )
    )


def _me(signed_in: SignedIn) -> MeAnswer:
    return MeAnswer(
        **_person(signed_in.user),
        account_id=signed_in.user.account_id,
        session_id=signed_in.session.id,
        current_account_id=signed_in.session.account_id,
    )


def _person(user: User) -> dict[str, str | bool]:
    return {"id": user.id, "email": user.email, "name": user.name, "verified": user.verified}


ROUTES = (
    Route(
        method="POST",
        path="/v1/signup",
        handler=sign_up,
        operation_id="signUp",
        summary="Sign up, alone or by an invitation",
        tag="sign-in",
        access=Public(),
        takes=SignUp,
        gives=SignUpAnswer,
        status=202,
        refuses=(InvitationNotValid, AccountExists, TooManyRequests, Busy),
    ),
    Route(
        method="POST",
        path="/v1/email/verify",
        handler=verify,
        operation_id="verifyEmail",
        summary="Prove an address by the mailed link, and sign in",
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
    Route(
        method="POST",
        path="/v1/login",
        handler=log_in,
        operation_id="logIn",
        summary="Sign in with address and password",
        tag="sign-in",
        access=Public(),
        takes=LogIn,
        gives=SessionAnswer,
        refuses=(WrongCredentials, TooManyRequests, Busy),
    ),
    Route(
        method="POST",
        path="/v1/token/refresh",
        handler=refresh,
        operation_id="refreshToken",
        summary="Go on with a session",
        tag="sign-in",
        access=Public(),
        takes=Refresh,
        gives=SessionAnswer,
        refuses=(RefreshTokenInvalid,),
        effective_everywhere=True,
    ),
    Route(
        method="POST",
        path="/v1/logout",
        handler=log_out,
        operation_id="logOut",
        summary="End the session",
        tag="sign-in",
        access=Session(),
        effective_everywhere=True,
    ),
    Route(
        method="POST",
        path="/v1/session/switch",
        handler=switch,
        operation_id="switchAccount",
        summary="Make another account the session's current one",
        tag="sign-in",
        access=Session(),
        takes=Switch,
        gives=SwitchAnswer,
        refuses=(NotFound, PermissionMissing),
    ),
    Route(
        method="GET",
        path="/v1/me",
        handler=get_me,
        operation_id="getMe",
        summary="The user of the request",
        tag="me",
        access=Session(),
        gives=MeAnswer,
    ),
    Route(
        method="PATCH",
        path="/v1/me",
        handler=patch_me,
        operation_id="updateMe",
        summary="Change the shown name",
        tag="me",
        access=Session(),
        takes=Rename,
        gives=MeAnswer,
    ),
)
