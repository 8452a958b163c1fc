"""The route of RFC 7009, which ends a token."""

from services.identity.domain.oidc import ClientInvalid, TokenRequestInvalid, read_credentials
from services.identity.routes.fields import OrOmitted
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.revocation import revoke
from shared.http.access import Public, PublicCallers
from shared.http.error_forms import ErrorForm
from shared.http.routes import Answer, Body, Call, Media, Reply, Route, Strictness


class RevocationForm(Body):
    """The form of RFC 7009, section 2.1. The kind of a token is known without a hint."""

    token: OrOmitted = None
    token_type_hint: OrOmitted = None
    client_id: OrOmitted = None
    client_secret: OrOmitted = None


class RevocationAnswer(Answer):
    """An empty object: its content means nothing (RFC 7009, section 2.2)."""


async def revoke_token(ctx: Ctx, call: Call[RevocationForm, None]) -> Reply:
    """End what the token stands for."""
    form, authorizations = call.body, call.headers.getall("Authorization", [])
    credentials = None
    if authorizations or form.client_id is not None or form.client_secret is not None:
        credentials = read_credentials(
            authorizations=authorizations,
            client_id=form.client_id,
            client_secret=form.client_secret,
        )
    if form.token is None:
        raise TokenRequestInvalid("The parameter token is missing. Send the token to revoke.")
    await revoke(ctx, call.caller, credentials, token=form.token)
    return Reply(body=RevocationAnswer(), headers={"Pragma": "no-cache"})


ROUTES = (
    Route(
        method="POST",
        path="/oauth2/revoke",
        handler=revoke_token,
        operation_id="revokeToken",
        summary="Revoke an access token, a refresh token or an API token",
        tag="oauth",
        access=Public(PublicCallers.SIGNED_IN),
        takes=RevocationForm,
        gives=RevocationAnswer,
        refuses=(TokenRequestInvalid, ClientInvalid),
        media=Media.FORM,
        strictness=Strictness.LENIENT,
        errors=ErrorForm.OAUTH,
        effective_everywhere=True,
        on_repeat="Finds the token ended: 200.",
    ),
)
