"""The route of RFC 7662, which tells a service client what a token stands for."""

from typing import Any, Literal

from services.identity.domain.introspection import ActiveToken, ClientNotAllowed
from services.identity.domain.oidc import ClientInvalid, TokenRequestInvalid, read_credentials
from services.identity.routes.fields import OrOmitted
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.introspection import introspect
from shared.contracts.calls.authz import TokenLimits
from shared.http.access import Public, PublicCallers
from shared.http.error_forms import ErrorForm
from shared.http.problem_responses import END_OF_LINE
from shared.http.routes import Answer, Body, Call, Media, Reply, Route, Strictness

_ACCESS_TOKEN_MEMBERS = ("client_id", "scope", "act")


class IntrospectionForm(Body):
    """The form of RFC 7662, section 2.1. The kind of a token is known without a hint."""

    token: OrOmitted = None
    token_type_hint: OrOmitted = None
    client_id: OrOmitted = None
    client_secret: OrOmitted = None


class Introspection(Answer):
    """The answer of RFC 7662, section 2.2. Of an inactive token it tells nothing else.

    `acct` is the current account of a session, or the account of an API token. An API token has
    `membership_id`, and `restriction` if it is limited. `act` has in `sub` the service client that
    acts for the user, and in its own `act` the one before it. What does not apply is left out.
    """

    active: bool
    token_use: Literal["access_token", "api_token"] | None = None
    token_type: Literal["Bearer"] | None = None
    iss: str | None = None
    aud: str | None = None
    sub: str | None = None
    jti: str | None = None
    iat: int | None = None
    exp: int | None = None
    client_id: str | None = None
    scope: str | None = None
    acct: str | None = None
    act: dict[str, Any] | None = None
    membership_id: str | None = None
    restriction: TokenLimits | None = None


async def introspect_token(ctx: Ctx, call: Call[IntrospectionForm, None]) -> Reply:
    """Tell what a token stands for now."""
    form = call.body
    credentials = read_credentials(
        authorizations=call.headers.getall("Authorization", []),
        client_id=form.client_id,
        client_secret=form.client_secret,
    )
    if form.token is None:
        raise TokenRequestInvalid("The parameter token is missing. Send the token to ask about.")
    found = await introspect(ctx, credentials, token=form.token, revision=call.revision)
    answer = Introspection(active=False) if found is None else _active(found)
    content = answer.model_dump_json(exclude_none=True).encode() + END_OF_LINE
    return Reply(body=content, headers={"Pragma": "no-cache"})


def _active(token: ActiveToken) -> Introspection:
    claims, limits = token.claims, token.limits
    return Introspection(
        active=True,
        token_use="access_token" if token.membership_id is None else "api_token",
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        **{name: claims[name] for name in ("iss", "aud", "sub", "jti", "iat", "exp")},
        **{name: claims.get(name) for name in _ACCESS_TOKEN_MEMBERS},
        acct=token.account_id,
        membership_id=token.membership_id,
        restriction=None if limits == TokenLimits() else limits,
    )


ROUTES = (
    Route(
        method="POST",
        path="/oauth2/introspect",
        handler=introspect_token,
        operation_id="introspectToken",
        summary="What a token stands for now",
        tag="oauth",
        access=Public(PublicCallers.CLIENTS),
        takes=IntrospectionForm,
        gives=Introspection,
        refuses=(TokenRequestInvalid, ClientInvalid, ClientNotAllowed),
        media=Media.FORM,
        strictness=Strictness.LENIENT,
        errors=ErrorForm.OAUTH,
        on_repeat="Answers as of now; nothing changes.",
    ),
)
