"""The routes of the identities with which a user signs in."""

from dataclasses import replace
from datetime import datetime

from services.identity.adapters.issuers import IssuerUnavailable
from services.identity.domain.id_tokens import IssuerAnswerInvalid
from services.identity.domain.identities import (
    IdentityTaken,
    LastSignIn,
    LinkedIdentity,
    TooManyIdentities,
)
from services.identity.domain.sso_connections import ConnectionPaused, SsoConnectionUnknown
from services.identity.domain.sso_sign_in import SsoSignInOver
from services.identity.routes.fields import Text
from services.identity.routes.sso_sign_in import (
    BegunSsoSignIn,
    FinishSsoSignIn,
    LongText,
    begun_answer,
)
from services.identity.use_cases import identities
from services.identity.use_cases.context import Ctx
from shared.http.access import Session, WaitsFor
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import IdentityId
from shared.problems import NotFound


class BeginIdentityLink(Body):
    """The connection through which the identity is proved, and the page to return to."""

    connection: Text
    redirect: LongText | None = None


class IdentityView(Answer):
    """An identity of the user; `email` is what the issuer told when it was linked."""

    id: str
    issuer: str
    connection: str
    label: str
    email: str | None
    linked_at: datetime


class IdentityViews(Answer):
    """All identities of the user."""

    items: tuple[IdentityView, ...]


async def list_identities(ctx: Ctx, call: Call[None, None]) -> IdentityViews:
    """Return the identities of the user."""
    found = await identities.identities_of(ctx, call.user)
    return IdentityViews(items=tuple(map(_view, found)))


async def begin_link(ctx: Ctx, call: Call[BeginIdentityLink, None]) -> BegunSsoSignIn:
    """Return the address of the issuer."""
    body = call.body
    return begun_answer(
        await identities.begin_link(
            ctx, call.user, connection_id=body.connection, page=body.redirect
        )
    )


async def link(ctx: Ctx, call: Call[FinishSsoSignIn, None]) -> Reply:
    """Return the identity, which is linked now."""
    body = call.body
    linked = await identities.link(
        ctx, call.caller, call.user, binding=body.binding, answer=body.answer()
    )
    return Reply(body=_view(linked.result), written=linked)


async def unlink(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Unlink the identity."""
    identity_id = IdentityId(call.path["identity_id"])
    written = await identities.unlink(ctx, call.caller, call.user, identity_id=identity_id)
    return Reply(written=written)


def _view(identity: LinkedIdentity) -> IdentityView:
    return IdentityView(
        id=identity.id,
        issuer=identity.issuer,
        connection=identity.connection_id,
        label=identity.label,
        email=identity.email,
        linked_at=identity.linked_at,
    )


_PROVED = Session(fresh_proof=True)
"""The end of a link needs no proof of its own: it needs the binding that the beginning gave."""

ROUTES = (
    Route(
        method="GET",
        path="/v1/me/identities",
        handler=list_identities,
        operation_id="listIdentities",
        summary="The issuers with which the user signs in",
        tag="me",
        access=Session(),
        gives=IdentityViews,
    ),
    Route(
        method="POST",
        path="/v1/me/identity-links",
        handler=begin_link,
        operation_id="beginIdentityLink",
        summary="Begin to link an identity to the user",
        tag="me",
        access=replace(_PROVED, waits_for=WaitsFor.OTHER_SERVERS),
        takes=BeginIdentityLink,
        gives=BegunSsoSignIn,
        refuses=(SsoConnectionUnknown, ConnectionPaused, IssuerUnavailable),
        on_repeat="Begins another link; both can be finished.",
    ),
    Route(
        method="POST",
        path="/v1/me/identities",
        handler=link,
        operation_id="linkIdentity",
        summary="Link the identity that an issuer has proved",
        tag="me",
        access=Session(waits_for=WaitsFor.OTHER_SERVERS),
        takes=FinishSsoSignIn,
        gives=IdentityView,
        refuses=(
            SsoSignInOver,
            ConnectionPaused,
            IssuerAnswerInvalid,
            IdentityTaken,
            TooManyIdentities,
            IssuerUnavailable,
        ),
        on_repeat="410: an answer of an issuer counts once. The list shows what is linked.",
    ),
    Route(
        method="DELETE",
        path="/v1/me/identities/{identity_id}",
        handler=unlink,
        operation_id="unlinkIdentity",
        summary="Unlink an identity, and end the user's other sessions",
        tag="me",
        access=_PROVED,
        refuses=(LastSignIn, NotFound),
        effective_everywhere=True,
    ),
)
