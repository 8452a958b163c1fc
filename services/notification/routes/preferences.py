"""The routes of a person's notification preferences."""

from pydantic import Field

from services.notification.domain.messages import MessageKind
from services.notification.domain.preferences import (
    MAX_ACCOUNTS,
    OPTIONAL_KINDS,
    Preferences,
    UnsubscribeLinkInvalid,
)
from services.notification.use_cases import preferences
from services.notification.use_cases.context import Ctx
from shared.http.access import Public, Session
from shared.http.routes import Answer, Body, Call, Reply, Route


class OffInAccount(Body):
    """The mails that a person does not want from one account; `null` stands for all accounts."""

    account_id: str | None = Field(pattern="^acc_[0-9a-f]{32}$")
    kinds: list[str] = Field(max_length=len(MessageKind))


class PreferencesUpdate(Body):
    """All that a person switches off; every other mail is wanted."""

    off: list[OffInAccount] = Field(max_length=MAX_ACCOUNTS)


class KindView(Answer):
    """A kind of message, and whether its mails can be switched off."""

    kind: MessageKind
    optional: bool


class OffView(Answer):
    """The mails that a person does not want from one account; `null` stands for all accounts."""

    account_id: str | None
    kinds: list[MessageKind]


class PreferencesView(Answer):
    """The kinds of messages, and the mails that a person has switched off."""

    kinds: list[KindView]
    off: list[OffView]


class UnsubscribeQuery(Body):
    """The token of the link in a mail."""

    token: str = Field(max_length=300, description="The token of the link in the mail")


async def show(ctx: Ctx, call: Call[None, None]) -> PreferencesView:
    """Return the preferences of the user."""
    return _view(await preferences.show(ctx, call.user))


async def choose(ctx: Ctx, call: Call[PreferencesUpdate, None]) -> Reply:
    """Return the preferences of the user after the change."""
    chosen = [(one.account_id, one.kinds) for one in call.body.off]
    result = await preferences.choose(ctx, call.caller, call.user, chosen)
    return Reply(body=_view(result.result), written=result)


async def unsubscribe(ctx: Ctx, call: Call[None, UnsubscribeQuery]) -> None:
    """Switch off the mails that the link names."""
    await preferences.unsubscribe(ctx, call.caller, call.query.token)


def _view(found: Preferences) -> PreferencesView:
    return PreferencesView(
        kinds=[
            KindView(kind=kind, optional=kind in OPTIONAL_KINDS) for kind in sorted(MessageKind)
        ],
        off=[OffView(account_id=one.account_id, kinds=list(one.kinds)) for one in found.off],
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/me/notification-preferences",
        handler=show,
        operation_id="getNotificationPreferences",
        summary="The mails that the user has switched off",
        tag="notifications",
        access=Session(),
        gives=PreferencesView,
    ),
    Route(
        method="PUT",
        path="/v1/me/notification-preferences",
        handler=choose,
        operation_id="setNotificationPreferences",
        summary="Switch mails off, in one account or in all",
        tag="notifications",
        access=Session(),
        takes=PreferencesUpdate,
        gives=PreferencesView,
    ),
    Route(
        method="POST",
        path="/v1/notifications/unsubscribe",
        handler=unsubscribe,
        operation_id="unsubscribe",
        summary="Switch off the kind of mail that the link of a mail names (RFC 8058)",
        tag="notifications",
        access=Public(),
        query=UnsubscribeQuery,
        refuses=(UnsubscribeLinkInvalid,),
        on_repeat="Finds the mails switched off, and changes nothing more.",
    ),
)
