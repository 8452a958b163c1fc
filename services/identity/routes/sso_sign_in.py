"""The routes of a sign-in with an issuer of OpenID Connect."""

from typing import Annotated

from pydantic import Field

from services.identity.adapters.dns_texts import DnsUnavailable
from services.identity.adapters.issuers import IssuerUnavailable
from services.identity.domain.disabled_users import SignInDisabled
from services.identity.domain.id_tokens import IssuerAnswerInvalid
from services.identity.domain.identities import IdentityNotLinked
from services.identity.domain.mfa import WrongOtp
from services.identity.domain.passwords import HashingBusy
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.domain.sso_connections import ConnectionPaused, SsoConnectionUnknown
from services.identity.domain.sso_continuation import SsoOtpRequired
from services.identity.domain.sso_sign_in import SIGN_IN_LIFETIME, SsoAnswer, SsoSignInOver
from services.identity.routes.fields import Text
from services.identity.routes.sessions import SessionAnswer, session_answer, sign_up_reply
from services.identity.use_cases import sso_continuation, sso_sign_in
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import SignedIn
from services.identity.use_cases.sso_sign_in import BegunSignIn
from shared.contracts.calls.connections import JoinOutcome, JoinProblem
from shared.http.access import Public, PublicCallers
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.locales import preferred_locale

LongText = Annotated[str, Field(min_length=1, max_length=4096)]


class BeginSsoSignIn(Body):
    """The connection, or an address whose domain has one, and the page to return to."""

    connection: Text | None = None
    email: Text | None = None
    redirect: LongText | None = None


class FinishSsoSignIn(Body):
    """What the issuer sent the browser back with, and what the browser kept.

    `redirect_uri` is the address at which the answer arrived, without its query. `iss` is its
    parameter of this name, if it has one.
    """

    binding: LongText
    state: Text
    code: LongText
    redirect_uri: LongText
    iss: LongText | None = None

    def answer(self) -> SsoAnswer:
        """Return the issuer's answer as the domain knows it."""
        return SsoAnswer(
            state=self.state, code=self.code, redirect_uri=self.redirect_uri, issuer=self.iss
        )


class EnterBySso(FinishSsoSignIn):
    """The same, to sign in; `otp` is the code of a user with a second factor."""

    otp: Text | None = None


class JoiningView(Answer):
    """What became of the membership in the connection's account.

    `joined`, `member` (before this sign-in), `refused` with its `problem`, or `later`: the next
    sign-in tries it again.
    """

    account_id: str
    outcome: JoinOutcome
    problem: JoinProblem | None


class SsoSessionAnswer(SessionAnswer):
    """The tokens of a session; `joining` is there if the connection has a rule."""

    joining: JoiningView | None


class ContinueSsoSignIn(Body):
    """The `continuation` of the refusal `otp-required`, and the code."""

    continuation: LongText
    otp: Text


class BegunSsoSignIn(Answer):
    """Where the browser goes, and what only this browser keeps until the answer."""

    authorization_url: str
    binding: str
    expires_in: int


class SsoConnectionView(Answer):
    """A connection as a page for sign-in shows it."""

    id: str
    label: str


class SsoConnectionViews(Answer):
    """The connections of the whole platform."""

    items: tuple[SsoConnectionView, ...]


def begun_answer(begun: BegunSignIn) -> BegunSsoSignIn:
    """Return the answer for a sign-in that has begun."""
    return BegunSsoSignIn(
        authorization_url=begun.authorization_url,
        binding=begun.binding,
        expires_in=int(SIGN_IN_LIFETIME.total_seconds()),
    )


async def list_connections(ctx: Ctx, call: Call[None, None]) -> SsoConnectionViews:
    """Return the connections that each person may use."""
    return SsoConnectionViews(
        items=tuple(
            SsoConnectionView(id=one.id, label=one.label) for one in ctx.settings.connections
        )
    )


async def begin(ctx: Ctx, call: Call[BeginSsoSignIn, None]) -> BegunSsoSignIn:
    """Return the address of the issuer."""
    body = call.body
    begun = await sso_sign_in.begin(
        ctx, call.caller, connection_id=body.connection, email=body.email, page=body.redirect
    )
    return begun_answer(begun)


async def finish(ctx: Ctx, call: Call[EnterBySso, None]) -> Reply:
    """Return a session for the issuer's answer."""
    body = call.body
    signed_in = await sso_sign_in.finish(
        ctx,
        call.caller,
        binding=body.binding,
        answer=body.answer(),
        otp=body.otp,
        locale=preferred_locale(call.headers.get("Accept-Language", "")),
    )
    return _reply(ctx, signed_in)


async def go_on(ctx: Ctx, call: Call[ContinueSsoSignIn, None]) -> Reply:
    """Return a session for the code."""
    body = call.body
    signed_in = await sso_continuation.go_on(
        ctx, call.caller, continuation=body.continuation, otp=body.otp
    )
    return _reply(ctx, signed_in)


def _reply(ctx: Ctx, signed_in: SignedIn) -> Reply:
    joining = signed_in.joining
    view = None
    if joining is not None:
        view = JoiningView(
            account_id=joining.account_id, outcome=joining.outcome, problem=joining.problem
        )
    answer = SsoSessionAnswer(**session_answer(ctx, signed_in).model_dump(), joining=view)
    return sign_up_reply(signed_in, answer, status=200)


ROUTES = (
    Route(
        method="GET",
        path="/v1/login/oidc/connections",
        handler=list_connections,
        operation_id="listSsoConnections",
        summary="The issuers through which everyone can sign in",
        tag="sign-in",
        access=Public(),
        gives=SsoConnectionViews,
    ),
    Route(
        method="POST",
        path="/v1/login/oidc/begin",
        handler=begin,
        operation_id="beginSsoSignIn",
        summary="Begin a sign-in with an issuer of OpenID Connect",
        tag="sign-in",
        access=Public(PublicCallers.ISSUERS),
        takes=BeginSsoSignIn,
        gives=BegunSsoSignIn,
        refuses=(SsoConnectionUnknown, ConnectionPaused, IssuerUnavailable, TooManyRequests),
        on_repeat="Begins another sign-in; both can be finished.",
    ),
    Route(
        method="POST",
        path="/v1/login/oidc/finish",
        handler=finish,
        operation_id="finishSsoSignIn",
        summary="Sign in with the answer of an issuer",
        tag="sign-in",
        access=Public(PublicCallers.ISSUERS),
        takes=EnterBySso,
        gives=SsoSessionAnswer,
        gives_revision=True,
        refuses=(
            SsoSignInOver,
            IssuerAnswerInvalid,
            IdentityNotLinked,
            SignInDisabled,
            ConnectionPaused,
            SsoOtpRequired,
            WrongOtp,
            HashingBusy,
            IssuerUnavailable,
            DnsUnavailable,
            TooManyRequests,
        ),
        on_repeat="410: an answer of an issuer counts once. Begin again.",
    ),
    Route(
        method="POST",
        path="/v1/login/oidc/continue",
        handler=go_on,
        operation_id="continueSsoSignIn",
        summary="Sign in with an issuer and a second factor: the code, after `otp-required`",
        tag="sign-in",
        access=Public(PublicCallers.ISSUERS),
        takes=ContinueSsoSignIn,
        gives=SsoSessionAnswer,
        gives_revision=True,
        refuses=(
            SsoSignInOver,
            IdentityNotLinked,
            SignInDisabled,
            ConnectionPaused,
            WrongOtp,
            HashingBusy,
            DnsUnavailable,
            TooManyRequests,
        ),
        on_repeat="Needs another code: each counts once.",
    ),
)
