"""The routes of sessions: sign-in, refresh, sign-out, switch of the account."""

from typing import Literal

from pydantic import BaseModel

from rolecall.client.access_tokens import ACCESS_SECONDS
from services.identity.domain.mfa import OtpRequired, WrongOtp
from services.identity.domain.passwords import HashingBusy
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.domain.sessions import (
    RefreshTokenInvalid,
    UserSession,
    WrongCredentials,
    last_proof,
)
from services.identity.routes.fields import AccountIdText, Text
from services.identity.routes.users import UserAnswer, user_fields
from services.identity.use_cases import sessions, sign_in
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import SignedIn
from shared.auth.access_tokens import user_claims
from shared.auth.account_refusals import SHUT_OUT
from shared.http.access import Public, PublicCallers, Session
from shared.http.routes import REVISION_HEADER, Answer, Body, Call, Reply, Route
from shared.ids import AccountId
from shared.links import Link
from shared.problems import NotFound, PermissionMissing


class LogIn(Body):
    """The credentials of a sign-in; `otp` is the code of a user with a second factor."""

    email: Text
    password: Text
    otp: Text | None = None


class Refresh(Body):
    """The refresh token of the last sign-in or refresh."""

    refresh_token: Text


class Switch(Body):
    """The account that becomes the session's current one."""

    account_id: AccountIdText


class SessionAnswer(Answer):
    """The tokens of a session; `account_id` is its current account."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    refresh_token: str
    user: UserAnswer
    account_id: str


class SwitchAnswer(Answer):
    """An access token with the new current account; the refresh token stays the same."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    account_id: str


def session_answer(ctx: Ctx, signed_in: SignedIn) -> SessionAnswer:
    """Return the tokens of a session."""
    session = signed_in.session
    return SessionAnswer(
        access_token=access_token(ctx, session),
        expires_in=ACCESS_SECONDS,
        refresh_token=ctx.refresh_tokens.token(Link(session.id, session.generation)),
        user=UserAnswer(**user_fields(signed_in.user)),
        account_id=session.account_id,
    )


def sign_up_reply(signed_in: SignedIn, body: BaseModel, *, status: int) -> Reply:
    """The session of a new user, with the revision as of which the personal account exists."""
    revision = signed_in.revision
    headers = {} if revision is None else {REVISION_HEADER: revision}
    return Reply(body=body, status=status, headers=headers)


async def log_in(ctx: Ctx, call: Call[LogIn, None]) -> SessionAnswer:
    """Return a session for an address and a password."""
    body = call.body
    signed_in = await sign_in.log_in(
        ctx, call.caller, email=body.email, password=body.password, otp=body.otp
    )
    return session_answer(ctx, signed_in)


async def refresh(ctx: Ctx, call: Call[Refresh, None]) -> SessionAnswer:
    """Return new tokens of the same session."""
    return session_answer(ctx, await sessions.refresh(ctx, call.caller, call.body.refresh_token))


async def log_out(ctx: Ctx, call: Call[None, None]) -> Reply:
    """End the session of the request."""
    return Reply(written=await sessions.log_out(ctx, call.caller, call.user))


async def switch(ctx: Ctx, call: Call[Switch, None]) -> SwitchAnswer:
    """Return an access token with another current account."""
    signed_in = await sessions.switch(
        ctx, call.user, AccountId(call.body.account_id), revision=call.revision
    )
    return SwitchAnswer(
        access_token=access_token(ctx, signed_in.session),
        expires_in=ACCESS_SECONDS,
        account_id=signed_in.session.account_id,
    )


def access_token(ctx: Ctx, session: UserSession) -> str:
    """Sign an access token of a session, with the time of its last proof."""
    return ctx.keyring.sign(
        user_claims(
            issuer=ctx.settings.public_url,
            user_id=session.user_id,
            session_id=session.id,
            account_id=session.account_id,
            now=ctx.clock.now(),
            proved_at=last_proof(session),
        )
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/login",
        handler=log_in,
        operation_id="logIn",
        summary="Sign in with an address and a password",
        tag="sign-in",
        access=Public(),
        takes=LogIn,
        gives=SessionAnswer,
        refuses=(WrongCredentials, OtpRequired, WrongOtp, TooManyRequests, HashingBusy),
        on_repeat="Starts another session. Answers with tokens are not kept.",
    ),
    Route(
        method="POST",
        path="/v1/token/refresh",
        handler=refresh,
        operation_id="refreshToken",
        summary="Continue a session",
        tag="sign-in",
        access=Public(PublicCallers.SIGNED_IN),
        takes=Refresh,
        gives=SessionAnswer,
        refuses=(RefreshTokenInvalid,),
        effective_everywhere=True,
        on_repeat="Gives the same successor, within the limits of rotation.",
    ),
    Route(
        method="POST",
        path="/v1/logout",
        handler=log_out,
        operation_id="logOut",
        summary="End the session",
        tag="sign-in",
        access=Session(may_have_ended=True),
        effective_everywhere=True,
        on_repeat="Finds the session ended: 204.",
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
        refuses=(NotFound, PermissionMissing, *SHUT_OUT.values()),
        on_repeat="Sets the same account again. Answers with tokens are not kept.",
    ),
)
