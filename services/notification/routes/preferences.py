"""The routes of a person's notification preferences."""

from pydantic import Field

from services.notification.domain.kind_groups import (
    GROUP_TEXTS,
    KIND_TITLES,
    KINDS_OF,
    KindGroup,
)
from services.notification.domain.messages import MessageKind
from services.notification.domain.preferences import (
    MAX_ACCOUNTS,
    OPTIONAL_KINDS,
    KindState,
    MailsOffInAll,
    Preferences,
    UnsubscribeLinkInvalid,
)
from services.notification.use_cases import preferences
from services.notification.use_cases.context import Ctx
from shared.http.access import Public, Session
from shared.http.entity_tags import TaggedAnswer
from shared.http.page_preference import prefers_page
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.locales import DEFAULT_LOCALE, Locale


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


class KindTitleView(Answer):
    """A kind of message; `title` says what its mails tell, if they can be switched off."""

    kind: MessageKind
    title: str | None


class KindGroupView(Answer):
    """Kinds of which people choose together, in the language of the user.

    With a `reason` their mails always go out.
    """

    group: KindGroup
    title: str
    reason: str | None
    kinds: list[KindTitleView]


class PreferencesQuery(Body):
    """How the titles of groups and kinds are written."""

    locale: Locale | None = Field(
        None, description="The language of the titles; without it that of the user"
    )


class PreferencesView(TaggedAnswer):
    """The kinds of messages, and the mails that a person has switched off.

    `etag` is that of `off` alone: it is the same in each language.
    """

    beside_the_state = frozenset({"kinds", "groups"})
    awaited = beside_the_state
    kinds: list[KindView]
    groups: list[KindGroupView]
    off: list[OffView]


class UnsubscribeQuery(Body):
    """The token of the link in a mail."""

    token: str = Field(max_length=300, description="The token of the link in the mail")


class UnsubscribeLinkView(Answer):
    """What the link of a mail switches off: the mails of a kind, in one account, of one person.

    `title` says what those mails tell, in the language of the person. Of the address only the first
    letter and the host are shown. The account's name is missing where no newer message has it.
    """

    title: str
    email: str | None
    account_name: str | None
    state: KindState
    locale: Locale


async def show(ctx: Ctx, call: Call[None, PreferencesQuery]) -> PreferencesView:
    """Return the preferences of the user."""
    found = await preferences.show(ctx, call.user)
    return preferences_view(found, call.query.locale or await preferences.locale_of(ctx, call.user))


async def choose(ctx: Ctx, call: Call[PreferencesUpdate, None]) -> Reply:
    """Return the preferences of the user after the change."""
    chosen = [(one.account_id, one.kinds) for one in call.body.off]
    result = await preferences.choose(
        ctx, call.caller, call.user, chosen, precondition=call.precondition
    )
    locale = await preferences.locale_of(ctx, call.user)
    return Reply(body=preferences_view(result.result, locale), written=result)


async def look_up(ctx: Ctx, call: Call[None, UnsubscribeQuery]) -> UnsubscribeLinkView | Reply:
    """Return what the link switches off; a browser is led to the page that asks for a press."""
    token = call.query.token
    if ctx.sender.pages and prefers_page(call.headers.get("Accept", "")):
        return Reply(status=303, headers={"Location": ctx.unsubscribe_links.page_of(token)})
    found = await preferences.look_up(ctx, token)
    return UnsubscribeLinkView(
        title=found.title,
        email=found.email,
        account_name=found.account_name,
        state=found.state,
        locale=found.locale,
    )


async def unsubscribe(ctx: Ctx, call: Call[None, UnsubscribeQuery]) -> None:
    """Switch off the mails that the link names."""
    await preferences.unsubscribe(ctx, call.caller, call.query.token)


async def resubscribe(ctx: Ctx, call: Call[None, UnsubscribeQuery]) -> None:
    """Switch on again what the link names."""
    await preferences.resubscribe(ctx, call.caller, call.query.token)


def preferences_view(found: Preferences, locale: Locale = DEFAULT_LOCALE) -> PreferencesView:
    """The answer that shows preferences; its `etag` is the same in each language."""
    titles = KIND_TITLES[locale]
    return PreferencesView(
        kinds=[
            KindView(kind=kind, optional=kind in OPTIONAL_KINDS)
            for kind in sorted(set(MessageKind) - {MessageKind.DIGEST})
        ],
        groups=[
            KindGroupView(
                group=group,
                title=text.title,
                reason=text.reason,
                kinds=[
                    KindTitleView(kind=kind, title=titles.get(kind)) for kind in KINDS_OF[group]
                ],
            )
            for group, text in GROUP_TEXTS[locale].items()
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
        query=PreferencesQuery,
        gives=PreferencesView,
        represent=preferences_view,
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
        represent=preferences_view,
    ),
    Route(
        method="GET",
        path="/v1/notifications/unsubscribe",
        handler=look_up,
        operation_id="lookUpUnsubscribeLink",
        summary="What the link of a mail switches off; leads a browser to the page that asks",
        tag="notifications",
        access=Public(),
        query=UnsubscribeQuery,
        gives=UnsubscribeLinkView,
        may_have_no_body=True,
        refuses=(UnsubscribeLinkInvalid,),
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
    Route(
        method="POST",
        path="/v1/notifications/resubscribe",
        handler=resubscribe,
        operation_id="resubscribe",
        summary="Switch on again the kind of mail that the link of a mail switched off",
        tag="notifications",
        access=Public(),
        query=UnsubscribeQuery,
        refuses=(UnsubscribeLinkInvalid, MailsOffInAll),
        on_repeat="Finds the mails switched on, and changes nothing more.",
    ),
)
